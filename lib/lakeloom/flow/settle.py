"""What an execution writes into its table's quarantine, and how: its own rows, with what was decided before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lakeloom.core.names import TableName
from lakeloom.flow.context import Context
from lakeloom.flow.rejudge import decided
from lakeloom.store.intents import Intent
from lakeloom.tables.bronze import Stamp
from lakeloom.tables.newest import newest
from lakeloom.tables.quarantine import KEYS
from lakeloom.tables.settling import closed, inheriting, kept

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What tells an entry of an older release: a transform may have dropped its position, or made several rows of one.
_PLACE = ("step", "position", "file", "raw", "row")


@dataclass(frozen=True)
class Entering:
    """Rows for a quarantine table.

    Attributes
    ----------
    open_rows : int or None
        How many of them are newly open; None where all are.
    """

    rows: DataFrame
    mode: Literal["append", "overwrite", "merge"]
    keys: tuple[str, ...] = ()
    open_rows: int | None = None


def entering(
    context: Context,
    session: SparkSession,
    intent: Intent,
    table: TableName,
    broken: DataFrame | None,
    settling: DataFrame | None = None,
) -> Entering | None:
    """Return what `intent` writes into the quarantine of `table`; None where it writes nothing there.

    Parameters
    ----------
    broken : DataFrame or None
        The entries of the rows that broke a rule.
    settling : DataFrame, optional
        Of a replay: the entries that it settles.
    """
    side = table.quarantine
    if broken is None and not (intent.full and context.lake.exists(side)):
        return None
    before = decided(context, session, intent, str(table)) if intent.full or intent.again else None
    mark = Stamp(intent.epoch, intent.clock, intent.run)
    if settling is not None:
        assert broken is not None and intent.side is not None
        now = inheriting(broken, context.lake.frame(session, side, intent.side))
        return _counted(now, closed(settling, now, mark), "merge")
    if intent.full:
        if before is None:
            return Entering(context.lake.frame(session, side).limit(0) if broken is None else broken, "overwrite")
        now = before.limit(0) if broken is None else inheriting(broken, before)
        return _counted(now, kept(before, now, mark), "overwrite")
    assert broken is not None
    if not intent.again:
        return Entering(broken, "append")
    # Rows that are judged again must not stand there twice.
    named = not context.lake.exists(side) or "id" in context.lake.columns(side)
    keys = KEYS if named else _PLACE
    if before is not None:
        return _counted(inheriting(broken, before), None, "merge")
    return Entering(newest(broken, keys, None), "merge", keys)


def _counted(now: DataFrame, others: DataFrame | None, mode: Literal["overwrite", "merge"]) -> Entering:
    count = now.where("state = 'open'").count()
    rows = now if others is None else now.unionByName(others, allowMissingColumns=True)
    return Entering(rows, mode, KEYS, count)
