"""The rows of a test: from YAML or a CSV file to typed rows, every mistake a finding at its line.

A column's type comes from ``types:`` of the test, else from the input's contract (bronze: from the
source's declared columns, else text), else from how the values are written. Columns that a test leaves
out are NULL, so that a row names only what matters to it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakeloom.core.kinds import nearest
from lakeloom.project.cleansing import gaps
from lakeloom.project.spec import Project
from lakeloom.tables.bronze import POSITION
from lakeloom.tables.literals import inferred, typed
from lakeloom.tables.sql import outputs, unknown_columns

PLATFORM = {
    "_position": POSITION, "_source": "string", "_file": "string", "_ingested_at": "timestamp", "_run": "string",
}  # fmt: skip
Tell = Callable[["Place", str, str, str], None]


@dataclass(frozen=True)
class Place:
    """Where something stands: in the test's document by its path, or in a CSV file by its line."""

    path: tuple[str, ...]
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Written:
    """Rows as they were written, each with its place."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    places: tuple[Place, ...]
    csv: bool = False


@dataclass(frozen=True)
class Given:
    """The typed rows of one input: name → Spark type of its columns, and its platform columns beside them."""

    table: str
    columns: dict[str, str]
    rows: tuple[tuple[Any, ...], ...]
    platform: tuple[str, ...]


def written(value: list[dict[str, Any]] | str, place: Place, folder: Path, home: Path, tell: Tell) -> Written:
    """Return rows from YAML, or from the CSV file that the value names, relative to the test's folder.

    Findings: LL-CONF-009 for a file that is not there or outside the project, LL-TEST-001 for one that is
    malformed.
    """
    if isinstance(value, str):
        return _from_csv(value, place, folder, home, tell)
    names = tuple(dict.fromkeys(name for row in value for name in row))
    return Written(names, tuple(value), tuple(Place((*place.path, str(index))) for index in range(len(value))))


def _from_csv(name: str, place: Place, folder: Path, home: Path, tell: Tell) -> Written:
    nothing = Written((), (), ())
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.parent.resolve()):
        tell(place, "LL-CONF-009", f"{name} lies outside the project", "keep it beside the test")
        return nothing
    if not file.is_file():
        near = nearest(file.name, [entry.name for entry in folder.glob("*.csv")])
        fix = f"use '{near}'" if near else "write it beside the test"
        tell(place, "LL-CONF-009", f"{name} does not exist", fix)
        return nothing
    shown = str(file.relative_to(home)) if file.is_relative_to(home) else name
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return _records(csv.reader(stream, strict=True), shown, tell)
    except (csv.Error, UnicodeDecodeError) as cause:
        reason = "is not UTF-8" if isinstance(cause, UnicodeDecodeError) else f"is malformed: {cause}"
        tell(Place((), shown, 1), "LL-TEST-001", f"the file {reason}", "mend the file")
        return nothing


def _records(reader: Any, shown: str, tell: Tell) -> Written:
    header = tuple(next(reader, ()))
    if not header or "" in header or len(set(header)) < len(header):
        message = "the header has a column without a name, or one name twice" if header else "the file is empty"
        tell(Place((), shown, 1), "LL-TEST-001", message, "start with one line of column names")
        return Written((), (), ())
    rows, places = [], []
    for cells in reader:
        here = Place((), shown, reader.line_num)
        if not cells:
            continue
        if len(cells) != len(header):
            message = f"{len(cells)} values, the header has {len(header)} columns"
            tell(here, "LL-TEST-001", message, "give each column one value; an empty one is NULL")
            continue
        rows.append({name: value or None for name, value in zip(header, cells, strict=True)})
        places.append(here)
    return Written(header, tuple(rows), tuple(places), csv=True)


def types_of(
    project: Project, table: str, rows: Written, types: Mapping[str, str], place: Place, tell: Tell
) -> dict[str, str]:
    """Return name → Spark type of a table's columns: those of its contract, and those that the rows name.

    Findings: LL-TEST-001 for a column that the table's contract does not have.
    """
    declared = declared_types(project, table) | dict(types)
    closed = closed_contract(project, table)
    found = dict(declared)
    for name in rows.columns:
        if name in found:
            continue
        if name.startswith("_"):
            tell(place, "LL-TEST-001", f"'{name}' is lakeloom's own column", "leave it out: it is filled in")
        elif closed:
            near = nearest(name, list(declared))
            fix = f"use '{near}'" if near else "name a column of its contract"
            tell(place, "LL-TEST-001", f"{table} has no column '{name}' ({', '.join(declared)})", fix)
        elif table.startswith("bronze.") or rows.csv:
            found[name] = "string"
        else:
            found[name] = inferred([row.get(name) for row in rows.rows])
    return found


def declared_types(project: Project, table: str) -> dict[str, str]:
    """Return name → Spark type as the contract says it; of bronze, as the source does."""
    layer, _, name = table.partition(".")
    if layer == "bronze":
        columns = project.sources[name].options.get("columns") if name in project.sources else None
        return {str(key): str(value) for key, value in columns.items()} if isinstance(columns, dict) else {}
    spec = project.tables.get(table)
    return {key: column.type for key, column in spec.columns.items()} if spec else {}


def closed_contract(project: Project, table: str) -> bool:
    """Return whether a table has a contract to which its transform can't add columns."""
    spec = project.tables.get(table)
    return bool(spec and spec.columns and spec.evolve == "none")


def typed_rows(rows: Written, columns: Mapping[str, str], tell: Tell) -> tuple[tuple[Any, ...], ...]:
    """Return the rows in the order of `columns`; findings: LL-TEST-001 for a value that is not of its type."""
    found = []
    for row, place in zip(rows.rows, rows.places, strict=True):
        values = []
        for name, kind in columns.items():
            try:
                values.append(typed(row.get(name), kind))
            except ValueError as cause:
                here = Place((*place.path, name), place.file, place.line) if place.path else place
                tell(here, "LL-TEST-001", f"{name}: {cause}", f"write a {kind}, or null")
                values.append(None)
        found.append(tuple(values))
    return tuple(found)


def completed(project: Project, table: str, given: Sequence[Given], place: Place, tell: Tell) -> list[Given]:
    """Return the inputs with the columns that the table's SQL, or its cleansing, takes from them and no row names.

    Findings: LL-TEST-001 where a name that no SQL reads is near one that is missing: a slip of the pen.
    """
    sql = project.sql.get(table)
    found = {each.table: each for each in given}
    closed = {name for name in found if closed_contract(project, name)}
    spec = project.tables[table]
    if spec.passes and len(given) == 1 and not closed:
        (each,) = given
        lacking = [gap.column for gap in gaps(spec.clean, [*each.columns, *each.platform])]
        columns = each.columns | dict.fromkeys(lacking, "string")
        rows = tuple((*row, *[None] * (len(columns) - len(row))) for row in each.rows)
        return [Given(each.table, columns, rows, each.platform)]
    if sql is None:
        return list(given)
    schemas = {name: set(each.columns) | set(each.platform) for name, each in found.items()}
    for column, tables in unknown_columns(sql, schemas):
        name = next((each for each in tables.split(", ") if each in found and each not in closed), None)
        if name is None or column in found[name].columns:
            continue
        each = found[name]
        extra = [own for own in each.columns if not re.search(rf"\b{re.escape(own)}\b", sql)]
        near = nearest(column, extra)
        if near:
            fix = f"use '{column}'"
            tell(Place((*place.path, name)), "LL-TEST-001", f"nothing reads '{near}' of {name}", fix)
        rows = tuple((*row, None) for row in each.rows)
        found[name] = Given(name, each.columns | {column: "string"}, rows, each.platform)
    return list(found.values())


def platform_columns(project: Project, table: str) -> tuple[str, ...]:
    """Return lakeloom's own columns that a table has: all in bronze, elsewhere those that its SQL passes on."""
    if table.startswith("bronze."):
        return tuple(PLATFORM)
    sql, spec = project.sql.get(table), project.tables.get(table)
    if spec is not None and spec.passes:
        (source,) = spec.from_
        return tuple(name for name in platform_columns(project, source) if name in ("_position", "_file"))
    return tuple(name for name in outputs(sql) if name in PLATFORM) if sql else ()
