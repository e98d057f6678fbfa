"""Writing what a step made: the quarantine first, then the table, both under the same (step, epoch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lakeloom.core.names import TableName
from lakeloom.core.steps import Facts
from lakeloom.flow.context import Context
from lakeloom.flow.settle import entering
from lakeloom.project.about import about
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Committed, commit, restore
from lakeloom.store.intents import Intent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def write(
    context: Context,
    session: SparkSession,
    intent: Intent,
    table: str,
    good: DataFrame,
    broken: DataFrame | None,
    *,
    mode: Literal["append", "overwrite", "merge"],
    keys: tuple[str, ...] = (),
    sequence: str | None = None,
    evolve: bool = False,
    settling: DataFrame | None = None,
) -> Facts:
    """Commit `broken` to the table's quarantine, then `good` to the table.

    Parameters
    ----------
    session : SparkSession
        The step's session, to which both frames belong.
    broken : DataFrame or None
        Rows in the quarantine's form; None where there is none.
    settling : DataFrame, optional
        Of a replay: the entries of the quarantine that it settles.

    Returns
    -------
    dict
        already (the commit stood there), versions (table → version), version, rows_out, quarantined, bytes, files.
    """
    name = TableName.parse(table)
    versions: dict[str, int] = {}
    quarantined = 0
    side = name.quarantine
    there = entering(context, session, intent, name, broken, settling)
    if there is not None:
        made = commit(
            session, context.lake, side, there.rows, context.mark(intent, str(side)),
            mode=there.mode, keys=there.keys, evolve=True, properties=about(context.project, str(side)),
        )  # fmt: skip
        versions[str(side)] = made.version
        quarantined = _written(made) if there.open_rows is None else there.open_rows
    made = commit(
        session, context.lake, name, good, context.mark(intent, table),
        mode=mode, keys=keys, sequence=sequence, evolve=evolve, properties=about(context.project, table),
    )  # fmt: skip
    versions[table] = made.version
    size = context.lake.size(name, made.version)
    return {
        "already": made.already,
        "versions": versions,
        "version": made.version,
        "rows_out": _written(made),
        "quarantined": quarantined,
        "bytes": size.bytes,
        "files": size.files,
    }


def forget_abandoned(context: Context, intent: Intent, table: str) -> None:
    """Bring the table's quarantine back to what it was before an execution that is given up.

    The quarantine is committed before the table; where the table's commit never came, or was restored
    by its audit, the rows that the next execution judges anew would stand there twice, and entries
    that a replay or a build from scratch had settled would be lost.
    """
    side = TableName.parse(table).quarantine
    if context.lake.epoch(side, intent.step) < intent.epoch:
        return
    newest = context.lake.history(side, 1)[0]
    made = newest["manifest"]
    if (made.get("step"), made.get("epoch")) != (intent.step, intent.epoch) or "restored" in made:
        return  # brought back before
    with step_session(context.engine.spark()) as session:
        if newest["version"] > 0:
            restore(session, context.lake, side, newest["version"] - 1, context.mark(intent, str(side)))
        else:
            session.sql(f"DELETE FROM delta.`{context.lake.path(side)}`")  # noqa: S608 - our own path


def _written(made: Committed) -> int:
    metrics = made.metrics
    if "numTargetRowsInserted" in metrics:
        return int(metrics["numTargetRowsInserted"]) + int(metrics.get("numTargetRowsUpdated", 0))
    return int(metrics.get("numOutputRows", 0))
