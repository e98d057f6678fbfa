"""The tests of a project: rows given to a table's transform, and what must come out of it.

``conf/<project>/tests/*.yml``; each entry under ``tests:`` is one. All mistakes are found together,
without Spark, with file, line and fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lakeloom.config.load import Raw
from lakeloom.config.yaml import load
from lakeloom.core.codes import CODES
from lakeloom.core.errors import ConfigError
from lakeloom.core.findings import Finding
from lakeloom.core.kinds import nearest
from lakeloom.project.cleansing import made
from lakeloom.project.fixtures import (
    Given,
    Place,
    Tell,
    Written,
    closed_contract,
    completed,
    declared_types,
    platform_columns,
    typed_rows,
    types_of,
    written,
)
from lakeloom.project.spec import Project
from lakeloom.project.typing import Reader
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.words import Strict

FOLDER = "tests"
REASONS = "reasons"
Rows = list[dict[str, Any]] | str


class CaseSpec(Strict):
    """One test.

    Attributes
    ----------
    table : str
        The table whose SQL or function is tested.
    given : dict
        Each of its inputs → rows, or the name of a CSV file beside the test.
    types : dict
        Input → column → Spark type, where neither contract nor source says it.
    expect : rows, optional
        The rows that must come out, without those in quarantine; the columns that they name are compared.
    ordered : bool
        Whether the order of `expect` counts.
    quarantined : rows or dict, optional
        The rows that must go to quarantine, with their ``reasons``; or how many each rule takes.
    raises : str, optional
        The code of the error with which it must fail.
    """

    table: str
    given: dict[str, Rows]
    types: dict[str, dict[str, str]] = {}
    expect: Rows | None = None
    ordered: bool = False
    quarantined: dict[str, int] | Rows | None = None
    raises: str | None = None


@dataclass(frozen=True)
class Case:
    """A test that is ready to run; rows of `expect` and `quarantined` are typed by what comes out."""

    name: str
    file: str
    line: int
    table: str
    given: tuple[Given, ...]
    expect: Written | None
    ordered: bool
    quarantined: Written | dict[str, int] | None
    raises: str | None


def read(raw: Raw, project: Project) -> tuple[list[Case], list[Finding]]:
    """Return the tests of a project and all mistakes in them, in the order of files and lines."""
    cases: list[Case] = []
    findings: list[Finding] = []
    for file in sorted((raw.folder / FOLDER).glob("*.yml")):
        shown = str(file.resolve().relative_to(raw.home)) if file.resolve().is_relative_to(raw.home) else str(file)
        reader = _File(replace(raw, document=load(file, shown)), project, file.parent, shown)
        cases += reader.cases()
        findings += reader.findings
    return cases, sorted(set(findings))


def chosen(cases: Sequence[Case], patterns: Sequence[str]) -> list[Case]:
    """Return the tests whose name or table any of the patterns matches; all without patterns.

    Raises
    ------
    ConfigError
        LL-TEST-002 where there is none.
    """
    if not cases:
        raise ConfigError(
            "LL-TEST-002", "the project has no tests", fix=f"write one into the project's folder {FOLDER}/, a .yml file"
        )
    for pattern in patterns:
        known = sorted({case.table for case in cases} | {case.name for case in cases})
        if not any(fnmatchcase(name, pattern) for name in known):
            near = nearest(pattern, known)
            tables = ", ".join(sorted({case.table for case in cases}))
            raise ConfigError(
                "LL-TEST-002",
                f"'{pattern}' is the name or table of no test; tables with tests are {tables}",
                fix=f"use '{near}'" if near else "give a table, a test's name, or a pattern with *",
            )
    return [
        case
        for case in cases
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns for name in (case.name, case.table))
    ]


class _File(Reader):
    """One file of tests: typed entries, and findings at their lines."""

    def __init__(self, raw: Raw, project: Project, folder: Path, shown: str) -> None:
        super().__init__(raw)
        self._project, self._folder, self._shown = project, folder, shown

    def cases(self) -> list[Case]:
        for key in self.document.data:
            if key != FOLDER:
                self.add((key,), "LL-CONF-003", f"'{key}' is not a key here", f"write each test under {FOLDER}:")
        found = []
        for name, value in self._section(FOLDER).items():
            spec = self.typed(CaseSpec, value, (FOLDER, name))
            case = spec and self._case(name, spec, (FOLDER, name))
            if case:
                found.append(case)
        return found

    def tell(self, place: Place, code: str, message: str, fix: str) -> None:
        """Add a finding at a place of this document or of a CSV file."""
        if place.file:
            self.findings.append(Finding(place.file, place.line, "", code, message, fix))
        else:
            self.add(place.path, code, message, fix)

    def _case(self, name: str, spec: CaseSpec, path: tuple[str, ...]) -> Case | None:
        table = self._project.tables.get(spec.table)
        if table is None:
            if f"tables.{spec.table}" not in self._project.faulty:
                self._unknown((*path, "table"), spec.table, list(self._project.tables), "table")
            return None
        if spec.raises is not None and spec.raises not in CODES:
            near = nearest(spec.raises, CODES)
            fix = f"use '{near}'" if near else "use one of docs/errors.md"
            self.add((*path, "raises"), "LL-CONF-004", f"'{spec.raises}' is not an error's code", fix)
        wanted = [key for key in ("expect", "quarantined", "raises") if getattr(spec, key) is not None]
        if not wanted or ("raises" in wanted and len(wanted) > 1):
            message = "a test wants either rows or an error" if wanted else "nothing is expected"
            self.add(path, "LL-CONF-005", message, "give expect: and quarantined:, or raises:")
        given = self._given(spec, table, path)
        expect = self._wanted(spec.expect, spec.table, (*path, "expect"))
        quarantined: Written | dict[str, int] | None
        if isinstance(spec.quarantined, dict):
            self._rules(spec.quarantined, table, (*path, "quarantined"))
            quarantined = spec.quarantined
        else:
            quarantined = self._wanted(spec.quarantined, spec.table, (*path, "quarantined"))
        line = self.document.marks.get(path, ("", 0))[1]
        return Case(name, self._shown, line, spec.table, given, expect, spec.ordered, quarantined, spec.raises)

    def _given(self, spec: CaseSpec, table: TableSpec, path: tuple[str, ...]) -> tuple[Given, ...]:
        for source in table.from_:
            if source not in spec.given:
                message = f"{source}, which {spec.table} reads, is not given"
                self.add((*path, "given"), "LL-CONF-005", message, f"add '{source}: []' where it is empty")
        found = []
        for source, value in spec.given.items():
            place = Place((*path, "given", source))
            if source not in table.from_:
                self._unknown(place.path, source, list(table.from_), f"input of {spec.table}")
                continue
            rows = written(value, place, self._folder, self.raw.home, self.tell)
            columns = types_of(self._project, source, rows, spec.types.get(source, {}), place, self.tell)
            typed = typed_rows(rows, columns, self.tell)
            found.append(Given(source, columns, typed, platform_columns(self._project, source)))
        for source in spec.types:
            if source not in spec.given:
                self._unknown((*path, "types", source), source, list(spec.given), "given table")
        return tuple(completed(self._project, spec.table, found, Place((*path, "given")), self.tell))

    def _wanted(self, value: Rows | None, table: str, path: tuple[str, ...]) -> Written | None:
        if value is None:
            return None
        rows = written(value, Place(path), self._folder, self.raw.home, self.tell)
        _same_columns(rows, self.tell)
        known = _outputs(self._project, table)
        for name in rows.columns:
            if known and name not in known and name != REASONS:
                near = nearest(name, known)
                fix = f"use '{near}'" if near else "name one of its columns"
                self.add(path, "LL-TEST-001", f"{table} has no column '{name}' ({', '.join(known)})", fix)
        declared = declared_types(self._project, table)
        typed_rows(rows, {name: declared[name] for name in rows.columns if name in declared}, self.tell)
        return rows

    def _rules(self, counts: dict[str, int], table: TableSpec, path: tuple[str, ...]) -> None:
        names = [rule.title for rule in table.judged() if rule.scope == "row" and rule.otherwise == "quarantine"]
        names += table.reasons()
        for name in counts:
            if name not in names:
                self._unknown((*path, name), name, names, "rule that quarantines")

    def _unknown(self, path: tuple[str, ...], name: str, known: list[str], what: str) -> None:
        near = nearest(name, known)
        fix = f"use '{near}'" if near else "use one of them"
        self.add(path, "LL-CONF-010", f"'{name}' is no {what}; there are {', '.join(known) or 'none'}", fix)


def _same_columns(rows: Written, tell: Tell) -> None:
    for row, place in zip(rows.rows, rows.places, strict=True):
        missing = [name for name in rows.columns if name not in row]
        if missing:
            message = f"the row does not name {', '.join(missing)}, which another does"
            tell(place, "LL-TEST-001", message, "name the same columns in each row; null where there is no value")


def _outputs(project: Project, table: str) -> list[str]:
    """Return the columns that a table can have, none where they are not known without running it."""
    if closed_contract(project, table):
        return list(declared_types(project, table))
    return made(project, table) or []
