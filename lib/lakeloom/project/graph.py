"""The graph: a project's steps, frozen, in an order in which each comes after what it reads.

Names: ``bronze.<source>`` lands a source, ``<layer>.<table>`` transforms, ``features.<view>`` and
``datasets.<name>`` materialise, ``tuning.<model>`` searches, ``models.<model>`` trains and
registers, and the model's ``scores`` table is written by the step of its own name. ``exports.<name>`` hands rows out.
``upkeep.<layer>__<table>`` keeps a table (`lakeloom.project.upkeep`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from lakeloom.core.kinds import pick
from lakeloom.core.names import NOT_TABLES, TableName, is_identifier
from lakeloom.core.steps import Input, Step, digest
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.project.spec import Project
from lakeloom.project.upkeep import upkeep_of
from lakeloom.sinks import SINKS
from lakeloom.sinks.base import Mode
from lakeloom.sinks.spec import ExportSpec
from lakeloom.tables.spec import TableSpec


def steps(project: Project, *, upkeep: bool = False) -> list[Step]:
    """Return all steps of the project, in topological order; a cycle's steps come last, in name order.

    Parameters
    ----------
    upkeep : bool
        Also steps that keep tables without a policy.
    """
    found = [*_landings(project), *_transforms(project), *_features(project), *_datasets(project), *_models(project)]
    found += _exports(project)
    return ordered([*found, *upkeep_of(project, found, everything=upkeep)])


def ordered(found: Iterable[Step]) -> list[Step]:
    """Return `found` so that each step comes after those that write what it reads."""
    remaining = {step.name: step for step in found}
    writers = {table: step.name for step in remaining.values() for table in step.writes}
    result: list[Step] = []
    while remaining:
        ready = [
            step
            for step in remaining.values()
            if not any(writers.get(read.table) in remaining and writers[read.table] != step.name for read in step.reads)
        ]
        if not ready:
            return result + [remaining[name] for name in sorted(remaining)]
        for step in ready:
            result.append(step)
            del remaining[step.name]
    return result


def cycle(found: Iterable[Step]) -> list[str]:
    """Return the steps of one cycle in order, none where there is no cycle."""
    by_name = {step.name: step for step in found}
    writers = {table: step.name for step in by_name.values() for table in step.writes}
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        for read in by_name[name].reads:
            if read.table in writers:
                loop = visit(writers[read.table], [*path, name])
                if loop:
                    return loop
        done.add(name)
        return []

    for name in by_name:
        loop = visit(name, [])
        if loop:
            return loop
    return []


def upstream(found: list[Step], name: str) -> set[str]:
    """Return the names of all steps that `name` depends on."""
    writers = {table: step.name for step in found for table in step.writes}
    by_name = {step.name: step for step in found}
    todo, seen = [name], set[str]()
    while todo:
        for read in by_name[todo.pop()].reads:
            before = writers.get(read.table)
            if before and before not in seen:
                seen.add(before)
                todo.append(before)
    return seen - {name}


def downstream(found: list[Step], name: str) -> set[str]:
    """Return the names of all steps that depend on `name`."""
    return {step.name for step in found if name in upstream(found, step.name)}


def heights(found: list[Step]) -> dict[str, int]:
    """Return, for each step, how many steps the longest chain below it has; `found` is in the data's order."""
    writers = {table: step.name for step in found for table in step.writes}
    high = {step.name: 0 for step in found}
    for step in reversed(found):
        for read in step.reads:
            before = writers.get(read.table)
            if before:
                high[before] = max(high[before], high[step.name] + 1)
    return high


def _landings(project: Project) -> list[Step]:
    return [
        Step(f"bronze.{name}", "land", (), (f"bronze.{name}",), source, digest(source.kind, source.options))
        for name, source in project.sources.items()
    ]


def _transforms(project: Project) -> list[Step]:
    found = []
    for name, table in project.tables.items():
        reads = tuple(Input(source, mode) for source, mode in table.from_.items())
        looks = dict.fromkeys(rule.to for rule in table.rules if rule.to and not rule.asks_source)
        reads += tuple(Input(other, "look") for other in looks if other not in table.from_)
        text = (project.sql.get(name, ""), source_of(table.function), *_verbs(table))
        acting = table.model_copy(update={"upkeep": None, "when": None})  # they change no row
        code, made = (digest(meaning(spec), *text) for spec in (acting, acting.model_copy(update={"rules": ()})))
        writes = (name, *table.beside())
        found.append(Step(name, "transform", reads, writes, table, code, made=made))
    return found


def _verbs(table: TableSpec) -> list[str]:
    """Return the code of the verbs that the project brings itself."""
    return [source_of(verb.verb) for verb in table.clean if ":" in verb.verb]


def _features(project: Project) -> list[Step]:
    return [
        Step(
            f"features.{name}",
            "materialise",
            (Input(view.source),),
            (f"features.{name}",),
            view,
            digest(meaning(view)),
        )
        for name, view in project.features.items()
    ]


def _datasets(project: Project) -> list[Step]:
    found = []
    for name, dataset in project.datasets.items():
        reads = [Input(dataset.labels.source)]
        reads += [Input(f"features.{view}") for view in sorted(dataset.views) if view in project.features]
        views = [meaning(project.features[view]) for view in sorted(dataset.views) if view in project.features]
        labels = project.tables.get(dataset.labels.source)
        known = {column: spec.available_at for column, spec in labels.columns.items()} if labels else {}
        code = digest(meaning(dataset), views, known)
        found.append(Step(f"datasets.{name}", "materialise", tuple(reads), (f"datasets.{name}",), dataset, code))
    return found


def _models(project: Project) -> list[Step]:
    found = []
    for name, model in project.models.items():
        dataset = Input(f"datasets.{model.dataset}")
        searched: tuple[Input, ...] = ()
        if model.tune is not None:
            code = digest(meaning(model.estimator), meaning(model.tune), meaning(model.promote), model.train.seed)
            found.append(Step(f"tuning.{name}", "tune", (dataset,), (f"tuning.{name}",), model, code, exclusive=True))
            searched = (Input(f"tuning.{name}"),)
        code = digest(meaning(model))
        reads = (dataset, *searched)
        found.append(Step(f"models.{name}", "train", reads, (f"models.{name}",), model, code, exclusive=True))
        if model.scores:
            reads = (dataset, Input(f"models.{name}"))
            code = digest("scores", model.scores)
            found.append(Step(model.scores, "materialise", reads, (model.scores,), model, code))
    return found


def _exports(project: Project) -> list[Step]:
    found = []
    for name, export in project.exports.items():
        acts = {key: each for key, each in export.options.items() if key not in pick(export.kind, SINKS).words}
        code = digest(export.source, export.kind, export.mode, export.columns, export.where, acts)
        reads = (Input(export.source, reading(export)),)
        found.append(Step(f"exports.{name}", "export", reads, (f"exports.{name}",), export, code))
    return found


def reading(export: ExportSpec) -> Mode:
    """Return how an export reads its table: what is new of one that is not append-only, its changes tell."""
    new = export.mode == "new" and not export.source.startswith("bronze.")
    return "changes" if new else export.mode


# Words that explain and do not act: changing them runs nothing again.
_WORDS = frozenset({"owner", "description", "event_time", "freshness", "quarantine_above", "on_change"})
# Keys that tables did not have once: where they say nothing, tables that are there already must not run again.
_LATER = frozenset(
    {
        "clean", "changes", "resolve", "dropped", "evolve", "renamed_from", "by", "delete_when", "update_when", "keep",
        "snapshot_by", "track", "history", "partition_by", "cluster_by", "change_feed", "deletion_vectors", "upkeep",
        "stream", "when",
    }
)  # fmt: skip
# The same of datasets.
_LATER_OF_DATASETS = frozenset({"at"})


def meaning(spec: object) -> object:
    """Return a spec as plain data without the words that change nothing."""
    if isinstance(spec, TableSpec) and spec.stream is not None:
        spec = spec.model_copy(update={"stream": spec.stream.meaning})
    dump = spec.model_dump(mode="json", by_alias=True) if hasattr(spec, "model_dump") else spec
    table = isinstance(spec, TableSpec)
    later = _LATER if table else _LATER_OF_DATASETS if isinstance(spec, DatasetSpec) else frozenset[str]()
    words = _WORDS if table else _WORDS - {"event_time", "on_change"}

    def clean(node: object) -> object:
        if isinstance(node, dict):
            return {
                key: clean(value)
                for key, value in node.items()
                if not (key in words and isinstance(value, str | float | None)) and not (key in later and not value)
            }
        return [clean(item) for item in node] if isinstance(node, list) else node

    return clean(dump)


def source_of(function: str | None) -> str:
    """Return the source text of a function's module, found without importing it."""
    if not function or ":" not in function:
        return ""
    module = function.partition(":")[0]
    if not all(is_identifier(part) for part in module.split(".")):
        return ""
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return ""
    return Path(found.origin).read_text(encoding="utf-8") if found and found.origin and found.has_location else ""


def is_table(name: str) -> bool:
    """Return whether what a step reads or writes is a Delta table (and no model, study, upkeep or export)."""
    return name.partition(".")[0] not in NOT_TABLES and bool(TableName.parse(name))


def is_stream(step: Step) -> bool:
    """Return whether a step's table is made by a streaming query."""
    return getattr(step.spec, "stream", None) is not None
