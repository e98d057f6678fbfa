"""What a table says of itself to whoever reads it outside: its description, owner, keys, freshness, units and tags.

They go into Delta's own metadata, so that every engine and catalog shows them.
"""

from __future__ import annotations

from typing import Any

from lakeloom.core.names import TableName
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.project.spec import Project
from lakeloom.tables.history import FROM
from lakeloom.tables.quarantine import KEYS
from lakeloom.training.spec import ModelSpec

_EVENT_TIME = "_event_time"  # `lakeloom.features.views.EVENT_TIME`, which imports Spark
_BESIDE = {
    "quarantine": "What {} could not take, with the reasons.",
    "aside": "Changes that left no row in {}: deletions and repetitions.",
}


def about(project: Project, table: str) -> dict[str, str]:
    """Return a table's properties: ``comment`` (its description) and ``lakeloom.owner``, ``.keys`` and others.

    Parameters
    ----------
    table : str
        Any table of the project, quarantine's among them; one that is not declared says nothing.
    """
    name = TableName.parse(table)
    if name.layer in _BESIDE:
        of = name.name.replace("__", ".", 1)
        spec = _spec(project, of)
        return _said({"comment": _BESIDE[name.layer].format(of), "lakeloom.owner": _of(spec, "owner")})
    spec = _spec(project, table)
    columns: dict[str, Any] = getattr(spec, "columns", {}) if name.layer in ("silver", "gold") else {}
    units = {f"lakeloom.unit.{name}": getattr(column, "unit", None) or "" for name, column in columns.items()}
    tags = {f"lakeloom.tags.{name}": ",".join(getattr(column, "tags", ())) for name, column in columns.items()}
    keys = ",".join(getattr(spec, "keys", ()))
    said = {"comment": _of(spec, "description"), "lakeloom.owner": _of(spec, "owner"), "lakeloom.keys": keys}
    if name.layer in ("bronze", "silver", "gold"):
        said |= {f"lakeloom.{word}": str(getattr(spec, word, None) or "") for word in ("freshness", "event_time")}
    return _said(said | units | tags)


def owner_of(project: Project, table: str) -> str:
    """Return who answers for a table, model or study, empty where nobody is named."""
    layer, _, name = table.partition(".")
    spec = project.models.get(name) if layer in ("models", "tuning") else _spec(project, table)
    return _of(spec, "owner")


def keys_of(project: Project, table: str) -> tuple[str, ...]:
    """Return the columns that tell a table's rows apart, as far as the config says; none where it does not."""
    name = TableName.parse(table)
    if name.layer == "quarantine":
        return KEYS
    spec = _spec(project, str(name))
    if isinstance(spec, ModelSpec):  # its scores: a row for each of its dataset
        spec = project.datasets.get(spec.dataset)
    keys = tuple(getattr(spec.labels if isinstance(spec, DatasetSpec) else spec, "keys", ()))
    if not keys:
        return ()
    if name.layer == "features":
        return (*keys, _EVENT_TIME)
    resolve, write = getattr(spec, "resolve", None), getattr(spec, "write", None)
    if resolve is not None and resolve.losers == str(name):
        return (*keys, "column", "loser")
    versioned = write is not None and (write.mode == "scd2" or write.history == str(name))
    return (*keys, FROM) if versioned else keys


def _spec(project: Project, table: str) -> object:
    layer, _, name = table.partition(".")
    sections: dict[str, Any] = {
        "bronze": project.sources, "features": project.features, "datasets": project.datasets,
        "exports": project.exports,
    }  # fmt: skip
    if layer in sections:
        return sections[layer].get(name)
    scores = {model.scores: model for model in project.models.values() if model.scores}
    beside = {name: spec for spec in project.tables.values() for name in spec.beside()}
    return project.tables.get(table) or scores.get(table) or beside.get(table)


def _of(spec: object, field: str) -> str:
    return str(getattr(spec, field, None) or "")


def _said(found: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if value}
