"""What is new at a database: the window of a watermark, or a fingerprint of the whole; pinned as predicates."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from lakeloom.core.errors import SourceError
from lakeloom.core.secrets import reveal
from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.arrived import first_new
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import condition, measured, one, origin_of
from lakeloom.sources.jdbc.dialects import literals, quote_identifier
from lakeloom.sources.jdbc.fingerprint import fingerprint
from lakeloom.sources.jdbc.partitions import divided, wanted
from lakeloom.sources.jdbc.quiet import quiet, tail
from lakeloom.sources.jdbc.rows import row_hash
from lakeloom.sources.jdbc.types import spelled, table
from lakeloom.sources.landing import Batch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def poll(config: JdbcConfig, last: Batch | None, session: SparkSession) -> Batch | None:
    """Return the batch of what is new since the last one, None for nothing.

    Raises
    ------
    SourceError
        LL-SOURCE-003 for a column that is not there or does not serve.
    """
    # Wall clock as the database keeps it, whatever the zone of this machine.
    whole = table(session, config, [windows.EVERY_ROW], preferTimestampNTZ="true")
    types = dict(whole.dtypes)
    url = reveal(config.url)
    quote = partial(quote_identifier, url)
    for name in config.keys:
        spelled(types, name)
    wanted(config, types)
    figures, by, loose = {"row_count": "COUNT(*)"}, None, windows.EVERY_ROW
    if config.incremental is not None:
        by = spelled(types, config.incremental.by, ("number", "date", "time", "zoned", "text"))
        figures |= {"upper_mark": f"MAX({quote(by)})", "marked_rows": f"COUNT({quote(by)})"}
        loose = f"{quote(by)} IS NULL"
        if quiet(session, config, quote(by), last, str(windows.family(types[by]))):
            return None
    printed = fingerprint(session, config, types, loose)
    if printed is not None:
        figures["prints"] = printed
    texts = ("upper_mark",) if by is not None and types[by] == "string" else ()
    found = measured(session, config, figures, texts=texts)
    batch: Batch = {"rows": _count(found["row_count"]), "lower": None, "upper": None, "overlap_s": 0, "since": None}
    where = windows.EVERY_ROW
    if by is not None and config.incremental is not None:
        of = str(windows.family(types[by]))
        batch["upper"] = found["upper_mark"]
        batch["lower"] = last.get("upper") if last else None
        batch["overlap_s"] = config.incremental.units
        batch["since"] = windows.since(batch["lower"], config.incremental.units, of)
        where = windows.window(quote(by), batch["since"], batch["upper"], of, literals(url))
    compared = batch["rows"] - (_count(found["marked_rows"]) if by is not None else 0)
    batch["fingerprint"] = None
    if compared or by is None:
        batch["fingerprint"] = f"{compared}:{found['prints']}" if printed else _fingerprint(session, config, loose)
    pinned = ("rows", "upper", "fingerprint")
    if last is not None and all(last.get(name) == batch[name] for name in pinned):
        return None
    if last is None and not batch["rows"]:
        return None
    if by is not None:
        of = str(windows.family(types[by]))
        batch["first_new"] = first_new(session, config, quote(by), batch["lower"], of)
        batch["tail"] = tail(session, config, quote(by), batch["upper"], of)
    if config.deletes is not None:
        _comparable(session, config, types)
    return batch | divided(session, config, types, where, batch["rows"] if batch["since"] is None else None)


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


def _comparable(session: SparkSession, config: JdbcConfig, types: Mapping[str, str]) -> None:
    """Refuse a comparison by keys that are not unique, or into a column that the source has."""
    if str(config.deletes).lower() in {name.lower() for name in types}:
        raise SourceError(
            "LL-SOURCE-003", f"the source has a column '{config.deletes}' of its own", fix="name another by 'deletes'"
        )
    keys = ", ".join(quote_identifier(reveal(config.url), spelled(types, key)) for key in config.keys)
    twice = (
        f"SELECT COUNT(*) AS twice FROM (SELECT {keys} FROM {origin_of(config)} WHERE {condition(config)}"  # noqa: S608  quoted
        f" GROUP BY {keys} HAVING COUNT(*) > 1) lakeloom_twice"
    )
    row = one(session, config, twice)
    if row is not None and int(row[0]):
        raise SourceError(
            "LL-SOURCE-003",
            f"{int(row[0]):,} keys ({', '.join(config.keys)}) are of several rows: which of them is gone can't be said",
            fix="name keys that are unique, or leave out 'deletes'",
        )
