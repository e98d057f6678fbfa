"""Writing what a step made: the quarantine first, then the table, both under the same (step, epoch)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName
from lakeloom.core.steps import Facts
from lakeloom.flow.back import bring_back
from lakeloom.flow.context import Context
from lakeloom.flow.settle import entering
from lakeloom.project.about import about
from lakeloom.store import refs
from lakeloom.store.commit import PLAIN, Committed, commit, find
from lakeloom.store.intents import Intent
from lakeloom.store.layout import Layout
from lakeloom.store.manner import Manner
from lakeloom.store.stage import Stage

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Part:
    """Rows for one table: a step may write several, the last of them its own; a `stage` has them already."""

    table: str
    frame: DataFrame
    how: Manner
    layout: Layout = PLAIN
    stage: Stage | None = None


def write(
    context: Context,
    session: SparkSession,
    intent: Intent,
    parts: Sequence[Part],
    broken: DataFrame | None,
    settling: DataFrame | None = None,
    *,
    lineage: Mapping[str, str] | None = None,
) -> Facts:
    """Commit `broken` to the quarantine of the step's table, then the parts in their order.

    Parameters
    ----------
    session : SparkSession
        The step's session, to which all frames belong.
    parts : sequence of Part
        The step's own table comes last: its commit says that all is written.
    broken : DataFrame or None
        Rows in the quarantine's form; None where there is none.
    settling : DataFrame, optional
        Of a replay: the entries of the quarantine that it settles.
    lineage : mapping, optional
        Table → hash of what flows into it, for the commits' manifests.

    Returns
    -------
    dict
        already (the commit stood there), versions (table → version), version, rows_out, quarantined, bytes, files,
        lineage (table → hash, of those that were written).
    """
    name = TableName.parse(parts[-1].table)
    versions: dict[str, int] = {}
    quarantined = 0
    side = name.quarantine
    there = entering(context, session, intent, name, broken, settling)
    if there is not None:
        how = Manner(there.mode, keys=there.keys, evolve="add")
        made = _commit(context, session, intent, Part(str(side), there.rows, how), lineage)
        versions[str(side)] = made.version
        quarantined = _written(made) if there.open_rows is None else there.open_rows
    for part in parts:
        made = _commit(context, session, intent, part, lineage)
        versions[part.table] = made.version
    keys = {table: key for table, key in (lineage or {}).items() if table in versions}
    return _facts(context, name, made, versions, quarantined, keys)


def standing(context: Context, intent: Intent, table: str) -> Facts:
    """Return what `write` returned of an execution whose commits stand, by the tables' logs alone."""
    name, versions, quarantined = TableName.parse(table), dict[str, int](), 0
    side = name.quarantine
    if context.lake.epoch(side, intent.step) >= intent.epoch:
        made = find(context.lake, side, intent.step, intent.epoch)
        versions[str(side)], quarantined = made.version, _written(made)
    made = find(context.lake, name, intent.step, intent.epoch, already=True)
    versions[table] = made.version
    keys = {table: made.manifest["lineage"]} if "lineage" in made.manifest else {}
    return _facts(context, name, made, versions, quarantined, keys)


def _facts(
    context: Context,
    name: TableName,
    made: Committed,
    versions: Mapping[str, int],
    quarantined: int,
    lineage: Mapping[str, str],
) -> Facts:
    size = context.lake.size(name, made.version)
    return {
        "already": made.already,
        "versions": versions,
        "version": made.version,
        "rows_out": _written(made),
        "quarantined": quarantined,
        "bytes": size.bytes,
        "files": size.files,
        "lineage": lineage,
    }


def _commit(
    context: Context, session: SparkSession, intent: Intent, part: Part, lineage: Mapping[str, str] | None
) -> Committed:
    mark = context.mark(intent, part.table, (lineage or {}).get(part.table))
    return commit(
        session, context.lake, TableName.parse(part.table), part.frame, mark, part.how,
        properties=about(context.project, part.table), layout=part.layout, stage=part.stage,
    )  # fmt: skip


def take_back(context: Context, intent: Intent, tables: Iterable[str]) -> None:
    """Bring tables that an execution has written back to their last good versions; new ones stay unpublished."""
    published = refs.good(context.lake)
    for table in tables:
        if table in published:
            bring_back(context, TableName.parse(table), published[table], context.mark(intent, table))


def forget_abandoned(context: Context, intent: Intent, tables: Sequence[str]) -> None:
    """Take back what an execution that is given up had written beside its own table.

    Parameters
    ----------
    tables : sequence of str
        What the step writes, its own table first. The others, what is kept aside, and the quarantine are committed
        before it; where its commit never came, or was restored by its audit, the next execution would find there
        what it makes anew.
    """
    name = TableName.parse(tables[0])
    beside = [
        table for table in (str(name.aside), *tables[1:]) if context.lake.epoch(table, intent.step) >= intent.epoch
    ]
    side = name.quarantine
    judged = context.lake.epoch(side, intent.step) >= intent.epoch
    take_back(context, intent, beside)
    if judged:
        _settle_back(context, intent, side)


def _settle_back(context: Context, intent: Intent, side: TableName) -> None:
    """Bring a quarantine back to what it was before an execution that is given up.

    Not by its rows: entries that a replay or a build from scratch had settled would be lost.
    """
    newest = context.lake.history(side, 1)[0]
    made = newest["manifest"]
    if (made.get("step"), made.get("epoch")) != (intent.step, intent.epoch) or "restored" in made:
        return  # brought back before
    before = newest["version"] - 1 if newest["version"] > 0 else None
    bring_back(context, side, before, context.mark(intent, str(side)))


def _written(made: Committed) -> int:
    metrics = made.metrics
    if "numTargetRowsInserted" in metrics:
        return int(metrics["numTargetRowsInserted"]) + int(metrics.get("numTargetRowsUpdated", 0))
    return int(metrics.get("numOutputRows", 0))
