"""What is new at a database: the window of a watermark, or a fingerprint of the whole; pinned as predicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from lakeloom.core.secrets import reveal
from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.arrived import first_new
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import fetch, origin_of
from lakeloom.sources.jdbc.dialects import literals, quote_identifier
from lakeloom.sources.jdbc.rows import row_hash
from lakeloom.sources.jdbc.types import spelled, table
from lakeloom.sources.landing import Batch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def poll(config: JdbcConfig, last: Batch | None, session: SparkSession) -> Batch | None:
    """Return the batch of what is new since the last one, None for nothing."""
    # Wall clock as the database keeps it, whatever the zone of this machine.
    whole = table(session, config, [windows.EVERY_ROW], preferTimestampNTZ="true")
    types = dict(whole.dtypes)
    for key in config.keys:
        spelled(types, key)
    quote = partial(quote_identifier, reveal(config.url))
    figures = {"row_count": "COUNT(*)"}
    by = at = None
    if config.incremental is not None:
        by = spelled(types, config.incremental.by, ("number", "date", "time", "zoned", "text"))
        figures |= {"upper_mark": f"MAX({quote(by)})", "marked_rows": f"COUNT({quote(by)})"}
    if config.partitions is not None:
        at = spelled(types, config.partitions.column, ("number", "date", "time", "zoned"))
        figures |= {"low_edge": f"MIN({quote(at)})", "high_edge": f"MAX({quote(at)})"}
    found = _figures(session, config, figures, texts=("upper_mark",) if by and types[by] == "string" else ())
    batch: Batch = {"rows": _count(found["row_count"]), "lower": None, "upper": None, "overlap_s": 0, "since": None}
    where, loose = windows.EVERY_ROW, windows.EVERY_ROW
    if by is not None and config.incremental is not None:
        of = str(windows.family(types[by]))
        batch["upper"] = found["upper_mark"]
        batch["lower"] = last.get("upper") if last else None
        batch["overlap_s"] = config.incremental.units
        batch["since"] = windows.since(batch["lower"], config.incremental.units, of)
        where = windows.window(quote(by), batch["since"], batch["upper"], of, literals(reveal(config.url)))
        loose = f"{quote(by)} IS NULL" if batch["rows"] > _count(found["marked_rows"]) else ""
    batch["fingerprint"] = _fingerprint(session, config, loose) if loose else None
    pinned = ("rows", "upper", "fingerprint")
    if last is not None and all(last.get(name) == batch[name] for name in pinned):
        return None
    if last is None and not batch["rows"]:
        return None
    if by is not None:
        of = str(windows.family(types[by]))
        batch["first_new"] = first_new(session, config, quote(by), batch["lower"], of)
    ranges = [windows.EVERY_ROW]
    if at is not None and config.partitions is not None:
        of = str(windows.family(types[at]))
        edges = found["low_edge"], found["high_edge"]
        ranges = windows.ranges(quote(at), *edges, config.partitions.number, of, literals(reveal(config.url)))
    batch["partitions"] = [windows.both(where, each) for each in ranges]
    return batch


def _figures(
    session: SparkSession, config: JdbcConfig, figures: Mapping[str, str], texts: Sequence[str] = ()
) -> dict[str, str | None]:
    """Return the aggregates of the source as text; those of `texts` are texts there, whatever the driver says."""
    listed = ", ".join(f"{sql} AS {name}" for name, sql in figures.items())
    asked = f"(SELECT {listed} FROM {origin_of(config)}) lakeloom_figures"  # noqa: S608  names are validated or quoted
    # SQLite's driver takes each aggregate for a number.
    told = {"customSchema": ", ".join(f"{name} STRING" for name in texts)} if texts else {}
    frame = fetch(session, config, asked, [windows.EVERY_ROW], preferTimestampNTZ="true", **told)
    row = frame.selectExpr(*[f"CAST({name} AS STRING) AS {name}" for name in figures]).first()
    assert row is not None  # an aggregate without groups has one row
    return {name: row[name] for name in figures}


def _count(text: str | None) -> int:
    """Return a database's count: not all give it as a whole number."""
    return int(Decimal(text or 0))


def _fingerprint(session: SparkSession, config: JdbcConfig, where: str) -> str:
    """Return a figure over all rows that `where` takes; equal tables have equal ones, in any order."""
    from pyspark.sql import functions as F

    rows = table(session, config, [where])
    row = rows.agg(F.count("*"), F.sum(row_hash(rows.columns).cast("decimal(20,0)"))).first()
    assert row is not None  # an aggregate without groups has one row
    return f"{row[0]}:{row[1]}"
