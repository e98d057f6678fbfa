"""Whether nothing is new behind a watermark, at a cost that does not grow with the table.

Asked are the greatest watermark, how many rows lie within the overlap, and how many have no watermark: each by an index
on the watermark, where there is one. Only where one of them differs is the table looked at as a whole.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import reveal
from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import IN_ONE, condition, fetch, origin_of
from lakeloom.sources.jdbc.dialects import literals
from lakeloom.sources.landing import Batch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def tail(session: SparkSession, config: JdbcConfig, by: str, upper: str | None, of: str) -> dict[str, Any] | None:
    """Return what a batch pins of the rows within the overlap of `upper`; None where it tells nothing.

    Parameters
    ----------
    by : str
        The watermark, quoted for the database.
    of : str
        Its family.
    """
    assert config.incremental is not None  # there is a watermark
    first = windows.since(upper, config.incremental.units, of)
    if first is None:
        return None
    found = _asked(session, config, by, first, of)
    # Rows without a watermark may change in any way: they are looked at each time.
    return found if found["upper"] == upper and not found["unmarked"] else None


def quiet(session: SparkSession, config: JdbcConfig, by: str, last: Batch | None, of: str) -> bool:
    """Return whether all is as the last batch has pinned it."""
    pinned = last.get("tail") if last else None
    if last is None or not pinned or config.deletes is not None:  # what is gone is seen in the whole only
        return False
    assert config.incremental is not None  # there is a watermark
    first = windows.since(last["upper"], config.incremental.units, of)
    return first is not None and first == pinned["first"] and _asked(session, config, by, first, of) == pinned


def _asked(session: SparkSession, config: JdbcConfig, by: str, first: str, of: str) -> dict[str, Any]:
    # Times come with the microsecond already added, so the bound itself belongs to the window.
    sign = ">=" if of in ("time", "zoned") else ">"
    bound = windows.literal(first, of, literals(reveal(config.url)))
    figures = {
        "upper_mark": (f"MAX({by})", windows.EVERY_ROW),
        "tail_rows": ("COUNT(*)", f"{by} {sign} {bound}"),
        "unmarked_rows": ("COUNT(*)", f"{by} IS NULL"),
    }
    # Each in a query of its own, so that each may go by the index.
    parts = [
        f"(SELECT {sql} AS {name} FROM {origin_of(config)} WHERE {windows.both(condition(config), where)}) q{at}"  # noqa: S608  quoted, pinned
        for at, (name, (sql, where)) in enumerate(figures.items())
    ]
    query = f"(SELECT {', '.join(figures)} FROM {', '.join(parts)}) lakeloom_quiet"  # noqa: S608  as above
    told = {"customSchema": "upper_mark STRING"} if of == "text" else {}
    frame = fetch(session, config, query, [windows.EVERY_ROW], **IN_ONE, **told)
    row = frame.selectExpr(*[f"CAST({name} AS STRING) AS {name}" for name in figures]).first()
    assert row is not None  # aggregates without groups have one row
    rows, unmarked = (int(Decimal(row[name] or 0)) for name in ("tail_rows", "unmarked_rows"))
    return {"upper": row["upper_mark"], "first": first, "rows": rows, "unmarked": unmarked}
