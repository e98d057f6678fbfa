"""Writing what a step made: the quarantine first, then the table, both under the same (step, epoch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lakeloom.core.names import TableName
from lakeloom.core.steps import Facts
from lakeloom.flow.context import Context
from lakeloom.project.about import about
from lakeloom.session.spark import step_session
from lakeloom.store.commit import Committed, commit
from lakeloom.store.describe import quoted
from lakeloom.store.intents import Intent
from lakeloom.tables.newest import newest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


# What tells a quarantined row: a transform may have dropped its position, or made several rows of one.
_PLACE = ("step", "position", "file", "raw", "row")


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
) -> Facts:
    """Commit `broken` to the table's quarantine, then `good` to the table.

    Parameters
    ----------
    session : SparkSession
        The step's session, to which both frames belong.
    broken : DataFrame or None
        Rows in the quarantine's form; None where there is none.

    Returns
    -------
    dict
        already (the commit stood there), versions (table → version), version, rows_out, quarantined, bytes, files.
    """
    name = TableName.parse(table)
    versions: dict[str, int] = {}
    quarantined = 0
    side = name.quarantine
    if broken is not None or (intent.full and context.lake.exists(side)):
        rows = broken if broken is not None else context.lake.frame(session, side).limit(0)
        rows = newest(rows, _PLACE, None) if intent.again else rows
        made = commit(
            session, context.lake, side, rows, context.mark(intent, str(side)),
            # Rows that are judged again must not stand there twice.
            mode="overwrite" if intent.full else "merge" if intent.again else "append", keys=_PLACE, evolve=True,
            properties=about(context.project, str(side)),
        )  # fmt: skip
        versions[str(side)] = made.version
        quarantined = _written(made)
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
    """Take out of the table's quarantine what an execution that is given up had put there.

    The quarantine is committed before the table; where the table's commit never came, or was restored
    by its audit, the rows that the next execution judges anew would stand there twice.
    """
    side = TableName.parse(table).quarantine
    if context.lake.epoch(side, intent.step) < intent.epoch:
        return
    with step_session(context.engine.spark()) as session:
        place = f"delta.`{context.lake.path(side)}`"
        session.sql(f"DELETE FROM {place} WHERE step = {quoted(intent.step)} AND epoch = {intent.epoch:d}")  # noqa: S608 - quoted


def _written(made: Committed) -> int:
    metrics = made.metrics
    if "numTargetRowsInserted" in metrics:
        return int(metrics["numTargetRowsInserted"]) + int(metrics.get("numTargetRowsUpdated", 0))
    return int(metrics.get("numOutputRows", 0))
