"""What makes the table of a step, as hashes by column as far as its declaration tells it; no Spark.

Of SQL, feature views, datasets and contracts it does; a function, cleansing and the like make the whole table.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from lakeloom.core.errors import LakeloomError
from lakeloom.core.steps import Step, digest
from lakeloom.datasets.columns import LABEL, outputs
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.features.spec import FeatureView
from lakeloom.lineage.prints import Prints, UntoldError, of_sql, of_text
from lakeloom.project.graph import meaning, source_of
from lakeloom.project.spec import Project
from lakeloom.tables.casts import spelled
from lakeloom.tables.spec import TableSpec

Schemas = Mapping[str, Mapping[str, str]]
# What of a table's declaration makes values and is told for all of its columns at once, and what says which rows are.
_MAKES = ("changes", "resolve", "stream", "clean", "evolve")
_LAYS_OUT = ("partition_by", "cluster_by", "change_feed", "deletion_vectors")


def printed(project: Project, step: Step, schemas: Schemas) -> Prints:
    """Return what makes the table, model or study of a step.

    Parameters
    ----------
    schemas : mapping
        Column → type of the tables that it reads, as far as they are known.
    """
    spec = step.spec
    if isinstance(spec, TableSpec):
        return _of_table(project, step.name, spec, schemas)
    if isinstance(spec, FeatureView):
        return _of_view(spec)
    if isinstance(spec, DatasetSpec):
        return _of_dataset(project, spec)
    if step.kind == "land":
        return _of_source(spec.kind, spec.options)
    if step.kind == "export":
        return _of_source(spec.kind, vars(spec) | {"columns": list(spec.columns)})
    # Of a model's scores the code says all that matters of it.
    told = meaning(spec) if step.kind in ("train", "tune") else {"model": step.code}
    words = {name: digest(value) for name, value in told.items()} if isinstance(told, dict) else {}
    return Prints(rows={"model": step.code}, words=words)


def _of_table(project: Project, name: str, spec: TableSpec, schemas: Schemas) -> Prints:
    said = meaning(spec)
    assert isinstance(said, dict)
    write = {key: value for key, value in said.pop("write", {}).items() if key not in _LAYS_OUT}
    rules = [meaning(rule) for rule in spec.judged() if rule.otherwise == "quarantine"]
    rows: dict[str, Any] = {"from": said["from"], "keys": sorted(spec.keys), "write": write, "rules": rules}
    whole = {word: said.get(word) for word in _MAKES if said.get(word)}
    made: dict[str, str] = {}
    if spec.sql is not None:
        try:
            made, told = of_sql(project.sql.get(name, ""), schemas)
            rows["sql"] = told
        except (UntoldError, LakeloomError):
            whole["sql"] = of_text(project.sql.get(name, ""))
    if spec.function is not None:
        whole["function"] = of_python(source_of(spec.function))
    whole |= {f"clean.{verb.verb}": of_python(source_of(verb.verb)) for verb in spec.clean if ":" in verb.verb}
    columns = {column: [made] for column, made in made.items()}
    for column, each in spec.columns.items():
        columns.setdefault(column, []).append(f"{spelled(each.type)} {each.evolve or ''} {each.renamed_from or ''}")
    words = {key: digest(value) for key, value in (said | {"write": write}).items() if value}
    words |= {"sql": of_text(project.sql.get(name, ""))} if spec.sql is not None else {}
    words |= {"function": str(whole["function"])} if spec.function is not None else {}
    return Prints(_hashed(columns), _hashed(rows), _hashed(whole), words)


def _of_view(view: FeatureView) -> Prints:
    said = meaning(view)
    assert isinstance(said, dict)
    keep = {name: digest(column.expr or name) for name, column in view.columns.items()}
    columns = keep | {"_event_time": digest(view.event_time), "_available_at": digest(view.available_at)}
    columns |= {key: digest(key) for key in view.keys}
    rows = {"from": view.source, "keys": list(view.keys), "where": view.where}
    # Aggregates, windows and the time to live act where a dataset takes the view.
    return Prints(columns, _hashed(rows), {}, _hashed(said))


def _of_dataset(project: Project, spec: DatasetSpec) -> Prints:
    said = meaning(spec)
    assert isinstance(said, dict)
    labels = project.tables.get(spec.labels.source)
    known = {name: column.available_at for name, column in labels.columns.items()} if labels else {}
    columns = {name: digest(name) for name in spec.labels.keys}
    for use in spec.features:
        if use.column is not None:
            columns[use.column] = digest(use.column, known.get(use.column))
            continue
        view = project.features[use.view or ""]
        taken = (
            use.view,
            use.on,
            str(use.lag or ""),
            view.keys,
            view.event_time,
            view.available_at,
            str(view.ttl or ""),
        )
        for output in outputs(use, project.features):
            expr = view.columns[output.column].expr if output.column in view.columns else ""
            columns[f"{use.name}__{output.suffix}"] = digest(
                taken, output.column, output.aggregate, output.window_us, expr
            )
    for name, sql in spec.derive.items():
        columns[name] = digest(sql, [columns[word] for word in re.findall(r"\w+", sql) if word in columns])
    columns[LABEL] = digest(spec.labels.value, spec.labels.where)
    columns["_as_of"] = digest(spec.as_of)
    columns["_split"] = digest(said["split"])
    rows = {"labels": [spec.labels.source, list(spec.labels.keys)], "sample": said.get("sample"), "at": spec.at}
    # What is known of a row depends on the moment for which it is asked.
    return Prints(columns, _hashed(rows | {"as_of": spec.as_of}), {}, _hashed(said))


def _of_source(kind: str, options: Mapping[str, Any]) -> Prints:
    declared = options.get("columns")
    columns = {name: digest(str(kind)) for name, kind in declared.items()} if isinstance(declared, dict) else {}
    rest = {key: value for key, value in options.items() if key != "columns"}
    return Prints(columns, {}, _hashed({"kind": kind} | rest), _hashed({"kind": kind} | dict(options)))


def of_python(source: str) -> str:
    """Return a hash of a module's code that does not change with its layout and comments."""
    try:
        return digest(ast.dump(ast.parse(source)))
    except (SyntaxError, ValueError):
        return digest(source)


def _hashed(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: digest(value) for name, value in found.items()}
