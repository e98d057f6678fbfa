"""What shape the table of a step will have, as far as its declaration tells it; no Spark.

A contract tells columns and types. Without one the SQL tells names alone, and a function nothing: what a rebuild
makes of it is compared when its rows are there, before they are written.
"""

from __future__ import annotations

from lakeloom.core.errors import LakeloomError
from lakeloom.core.steps import Step
from lakeloom.datasets.columns import feature_names
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.features.spec import FeatureView
from lakeloom.project.spec import Project
from lakeloom.tables.breaking import Shape
from lakeloom.tables.casts import spelled
from lakeloom.tables.history import CURRENT, FROM, TO
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.sql import outputs

UNKNOWN = Shape({}, whole=False)


def declared(project: Project, step: Step) -> Shape:
    """Return what readers of the step's table will find there."""
    spec = step.spec
    if isinstance(spec, TableSpec):
        return _of_table(project, step.name, spec)
    if isinstance(spec, FeatureView):
        return Shape(dict.fromkeys([*spec.keys, *spec.columns], ""), keys=spec.keys)
    if isinstance(spec, DatasetSpec):
        names = dict.fromkeys([*spec.labels.keys, *feature_names(spec, project.features), "label"], "")
        return Shape(names, keys=spec.labels.keys)
    if step.kind == "land":
        columns = spec.options.get("columns")
        kinds = {name: spelled(str(kind)) for name, kind in columns.items()} if isinstance(columns, dict) else {}
        return Shape(kinds, whole=False)  # what a file brings beyond them lands too
    return UNKNOWN


def _of_table(project: Project, name: str, spec: TableSpec) -> Shape:
    exact = bool(spec.columns) and spec.evolve in ("none", "rescue")
    told = None if exact else _made(project, name, spec)
    # A type may grow beyond what is declared, and has perhaps.
    own = {each: "" if _grows(spec, each) else spelled(column.type) for each, column in spec.columns.items()}
    columns = dict.fromkeys(told or (), "") | own
    if spec.write.mode == "scd2" and columns:
        columns |= dict.fromkeys((FROM, TO, CURRENT), "")
    renamed = {new: column.renamed_from for new, column in spec.columns.items() if column.renamed_from}
    versioned = spec.write.mode == "scd2" and bool(spec.keys)
    keys = (*spec.keys, FROM) if versioned else spec.keys
    return Shape(columns, exact or told is not None, keys, spec.refuses_null, renamed, spec.dropped)


def _grows(spec: TableSpec, column: str) -> bool:
    evolve = spec.columns[column].evolve or spec.evolve
    return evolve == "widen" or (evolve == "add" and "struct<" in spelled(spec.columns[column].type))


def _made(project: Project, name: str, spec: TableSpec) -> list[str] | None:
    """Return the names that the SQL gives, None where they can't be told from its text."""
    if spec.sql is None or spec.clean or spec.stream is not None:
        return None
    try:
        found = outputs(project.sql.get(name, ""))
    except LakeloomError:
        return None
    return None if "*" in found or any(not each for each in found) else found
