"""Marked document → typed project: every mistake becomes a finding, at its line.

Each entry is validated on its own, so that one mistake hides no other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lakeloom.config.load import Raw
from lakeloom.config.yaml import Document
from lakeloom.core.errors import LakeloomError
from lakeloom.core.findings import Finding
from lakeloom.core.kinds import nearest, pick
from lakeloom.core.names import TableName, is_identifier
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.features.spec import FeatureView
from lakeloom.project.sampling import apart
from lakeloom.project.spec import Project, Settings, SourceSpec
from lakeloom.sinks import SINKS
from lakeloom.sinks.spec import ENVELOPE as WORDS
from lakeloom.sinks.spec import ExportSpec, ExportWords
from lakeloom.sources import SOURCES
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.upkeep import UpkeepSpec, asked
from lakeloom.training.spec import ModelSpec

SECTIONS = ("sources", "tables", "features", "datasets", "models", "exports")
ENVELOPE = ("owner", "description", "freshness", "quarantine_above", "sample", "timeout", "when")
M = TypeVar("M", bound=BaseModel)


class Reader:
    """Turns the sections of a document into typed entries and gathers findings."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.document: Document = raw.document
        self.findings: list[Finding] = list(raw.document.findings)

    def project(self) -> Project:
        """Return the typed project; entries with mistakes are left out of it."""
        data = self.document.data
        settings = self._settings({key: value for key, value in data.items() if key not in SECTIONS})
        tables = {name: spec for name, spec in self._entries("tables", TableSpec).items() if self._table_name(name)}
        project = Project(
            home=self.raw.home,
            folder=self.raw.folder,
            settings=settings,
            sources=self._sources(),
            tables=tables,
            features=self._entries("features", FeatureView, plain=True),
            datasets=self._entries("datasets", DatasetSpec, plain=True),
            models=self._entries("models", ModelSpec, plain=True),
            sql=self._sql(tables),
            exports=self._exports(),
        )
        return replace(project, faulty=self._faulty(project))

    def add(self, path: tuple[str, ...], code: str, message: str, fix: str = "") -> None:
        """Add a finding at the line of `path`, or of the nearest key above it."""
        here = path
        while here and here not in self.document.marks:
            here = here[:-1]
        base = self.raw.folder / "*.yml"
        file, line = self.document.marks.get(here, (str(base.relative_to(self.raw.home)), 0))
        self.findings.append(Finding(file, line, ".".join(path), code, message, fix))

    def _faulty(self, project: Project) -> frozenset[str]:
        """Return ``section.name`` of what is declared and left out, and the tables of models' scores among it."""
        read: tuple[Mapping[str, object], ...] = (
            project.sources, project.tables, project.features, project.datasets, project.models,
            project.exports,
        )  # fmt: skip
        found = set()
        for section, entries in zip(SECTIONS, read, strict=True):
            declared = self.document.data.get(section)
            for name, value in (declared if isinstance(declared, dict) else {}).items():
                if name in entries:
                    continue
                found.add(f"{section}.{name}")
                if section == "models" and isinstance(value, dict) and isinstance(value.get("scores"), str):
                    found.add(f"tables.{value['scores']}")
        return frozenset(found)

    def _settings(self, data: dict[str, Any]) -> Settings:
        typed = self.typed(Settings, data | {"project": self.raw.project, "env": self.raw.env}, ())
        return apart(typed) if typed else Settings(project=self.raw.project, env=self.raw.env)

    def _section(self, name: str) -> dict[str, Any]:
        section = self.document.data.get(name) or {}
        if not isinstance(section, dict):
            self.add((name,), "LL-CONF-004", f"{name} is a {type(section).__name__}, not a mapping", "write name: {…}")
            return {}
        return section

    def _entries(self, section: str, model: type[M], *, plain: bool = False) -> dict[str, M]:
        found: dict[str, M] = {}
        for name, value in self._section(section).items():
            if plain and not self._identifier((section, name), name):
                continue
            typed = self.typed(model, value, (section, name))
            if typed is not None:
                found[name] = typed
        return found

    def _sources(self) -> dict[str, SourceSpec]:
        found: dict[str, SourceSpec] = {}
        for name, value in self._section("sources").items():
            path = ("sources", name)
            if not self._identifier(path, name):
                continue
            if not isinstance(value, dict) or "kind" not in value:
                self.add(path, "LL-CONF-005", "kind is missing", f"add kind: one of {', '.join(sorted(SOURCES))}")
                continue
            options = {key: item for key, item in value.items() if key not in (*ENVELOPE, "upkeep")}
            try:
                kind = pick(str(value["kind"]), SOURCES)
            except LakeloomError as error:
                self.add((*path, "kind"), error.code, error.message, error.fix)
                continue
            asks = asked(value.get("upkeep"))
            upkeep = None if asks is None else self.typed(UpkeepSpec, asks, (*path, "upkeep"))
            config = self.typed(kind.Config, options, path)
            if config is not None:
                self._files_of(config, path)
                spec = SourceSpec(name, str(value["kind"]), options, *(value.get(key) for key in ENVELOPE))
                found[name] = replace(spec, upkeep=upkeep)
        return found

    def _exports(self) -> dict[str, ExportSpec]:
        found: dict[str, ExportSpec] = {}
        for name, value in self._section("exports").items():
            path = ("exports", name)
            if not self._identifier(path, name):
                continue
            if not isinstance(value, dict):
                self.add(path, "LL-CONF-004", f"a mapping is wanted, this is {value!r:.40}", "write from: and to:")
                continue
            to = value.get("to")
            inline = not isinstance(to, dict)
            # Beside an address stand the words of its kind; a mapping holds them all.
            beside = {key: each for key, each in value.items() if inline and key not in WORDS}
            words = self.typed(ExportWords, {key: each for key, each in value.items() if key not in beside}, path)
            if words is None:
                continue
            options = beside | {"path": to} if not isinstance(to, dict) else dict(to)
            kind = "objects" if inline else str(options.pop("kind", ""))
            place = path if inline else (*path, "to")
            if not kind:
                self.add(place, "LL-CONF-005", "kind is missing", f"add kind: one of {', '.join(sorted(SINKS))}")
                continue
            try:
                config = pick(kind, SINKS).Config
            except LakeloomError as error:
                self.add((*place, "kind"), error.code, error.message, error.fix)
                continue
            if self.typed(config, options, place) is not None:
                more = words.model_dump(exclude={"source", "to", "mode"})
                found[name] = ExportSpec(name, words.source, kind, words.mode, options, **more, inline=inline)
        return found

    def _files_of(self, config: Any, path: tuple[str, ...]) -> None:
        """Find the files that a source's config names (a schema, a descriptor) and that are not there."""
        for word, file in getattr(config, "named", {}).items():
            if "${" not in file and not (self.raw.home / file).is_file():
                fix = "name a file; relative paths start at the project's home"
                self.add((*path, word), "LL-CONF-009", f"{file} does not exist", fix)

    def typed(self, model: type[M], value: Any, path: tuple[str, ...]) -> M | None:
        """Return the value at `path` as `model`, None where it is malformed: then there are findings."""
        if not isinstance(value, dict):
            self.add(path, "LL-CONF-004", f"a mapping is wanted, this is {value!r:.40}", "write key: value below it")
            return None
        try:
            return model.model_validate(value)
        except ValidationError as cause:
            for error in cause.errors(include_url=False):
                self._invalid(model, path, error)
        except LakeloomError as error:
            self.add(path, error.code, error.message, error.fix)
        return None

    def _invalid(self, model: type[BaseModel], path: tuple[str, ...], error: Any) -> None:
        where = (*path, *self._in_document(path, tuple(str(part) for part in error["loc"])))
        kind, cause = error["type"], (error.get("ctx") or {}).get("error")
        if isinstance(cause, LakeloomError):
            self.add(where, cause.code, cause.message, cause.fix)
        elif kind.startswith("LL-"):
            self.add(where, kind, error["msg"])
        elif kind == "extra_forbidden":
            valid = [field.alias or name for name, field in _model_at(model, error["loc"][:-1]).model_fields.items()]
            near = nearest(where[-1], valid)
            fix = f"use '{near}'" if near else f"remove it; the keys are {', '.join(valid)}"
            self.add(where, "LL-CONF-003", f"'{where[-1]}' is not a key here", fix)
        elif kind == "missing":
            self.add(where, "LL-CONF-005", f"{error['loc'][-1]} is missing", f"add {error['loc'][-1]}:")
        else:
            # An entry of a list is called as the list: its own name is a number.
            name = next((part for part in reversed(where) if not part.isdigit()), where[-1])
            self.add(where, "LL-CONF-004", f"{name}: {error['msg']}", _near_word(error))

    def _in_document(self, path: tuple[str, ...], loc: tuple[str, ...]) -> tuple[str, ...]:
        """Drop the parts of pydantic's place (tags of unions, validators) that are no keys of the document."""
        kept: tuple[str, ...] = ()
        for index, part in enumerate(loc):
            if (*path, *kept, part) in self.document.marks or index == len(loc) - 1:
                kept = (*kept, part)
        return kept

    def _identifier(self, path: tuple[str, ...], name: str) -> bool:
        if not is_identifier(name):
            self.add(path, "LL-CONF-014", f"'{name}' is not a name", "use letters, digits and underscores")
            return False
        return True

    def _table_name(self, name: str) -> bool:
        try:
            table = TableName.parse(name)
        except LakeloomError as error:
            self.add(("tables", name), error.code, error.message, error.fix)
            return False
        if table.layer not in ("silver", "gold"):
            self.add(
                ("tables", name), "LL-TABLE-001", f"{name} can't be declared here", "declare silver and gold tables"
            )
            return False
        return True

    def _sql(self, tables: dict[str, TableSpec]) -> dict[str, str]:
        texts: dict[str, str] = {}
        for name, spec in tables.items():
            if spec.sql is None:
                continue
            path = ("tables", name, "sql")
            if not spec.sql.endswith(".sql"):
                texts[name] = spec.sql
                continue
            file = (self.raw.folder / spec.sql).resolve()
            if not file.is_relative_to(self.raw.folder):
                self.add(
                    path, "LL-CONF-009", f"{spec.sql} lies outside the project", "keep SQL below the project's folder"
                )
            elif not file.is_file():
                near = _near_file(file)
                self.add(path, "LL-CONF-009", f"{spec.sql} does not exist", f"use '{near}'" if near else "write it")
            else:
                texts[name] = file.read_text(encoding="utf-8")
        return texts


def _near_word(error: Any) -> str:
    """Return the fix for a word that is none of a few: the nearest of them, whatever its case."""
    if error["type"] != "literal_error" or not isinstance(error["input"], str):
        return ""
    near = nearest(error["input"].lower(), re.findall(r"'([^']*)'", error["ctx"]["expected"]))
    return f"use '{near}'" if near else ""


def _near_file(file: Path) -> str | None:
    names = [entry.name for entry in file.parent.glob("*.sql")] if file.parent.is_dir() else []
    near = nearest(file.name, names)
    return f"{file.parent.name}/{near}" if near else None


def _model_at(model: type[BaseModel], loc: tuple[Any, ...]) -> type[BaseModel]:
    """Return the model that validates the place `loc` below `model`."""
    from typing import get_args

    here: Any = model
    for part in loc:
        fields = {field.alias or name: field for name, field in here.model_fields.items()}
        if part not in fields:
            # A key that names a plug-in has that plug-in's model below it.
            named = here.within(str(part)) if hasattr(here, "within") else None
            here = named or here
            continue
        todo, here_next = [fields[part].annotation], None
        while todo:
            kind = todo.pop()
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                here_next = kind
                break
            todo += list(get_args(kind))
        if here_next is None:
            return model if here is model else here
        here = here_next
    return here
