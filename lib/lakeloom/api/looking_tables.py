"""Looking at a database: its catalogue tells keys and indexes, its first rows the types of each table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.api.seen import Seen, many, seen
from lakeloom.api.suggestion import profile_of
from lakeloom.core.errors import SourceError
from lakeloom.quality.profile import ColumnProfile
from lakeloom.quality.proposals import form_of
from lakeloom.sources.columns import stored_name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from lakeloom.sources.jdbc import JdbcConfig
    from lakeloom.sources.looking.database import Described

_ROWS = 10_000
_PARTED_FROM_ROWS, _MOST_PARTS = 1_000_000, 16


def look_at_database(
    config: JdbcConfig, written: Mapping[str, Any], patterns: Sequence[str], home: Path, spark: SparkSession
) -> list[Seen]:
    """Return a source for each table of a database that `patterns` names.

    Parameters
    ----------
    config : JdbcConfig
        Who asks, with secrets resolved; its table is none.
    written : mapping
        What of it stands in the config: url, user and password as placeholders.

    Raises
    ------
    SourceError
        LL-SOURCE-001 to LL-SOURCE-005 as for any reading, LL-SOURCE-008 where there is no table.
    """
    from lakeloom.core.secrets import reveal
    from lakeloom.sources.jdbc.connection import at_home
    from lakeloom.sources.looking.database import described

    asked = at_home(config, home)
    found: dict[str, Seen] = {}
    for table in described(spark, asked, reveal(asked.url), patterns):
        seen = _of_table(table, config, written, home, spark, found)
        found[seen.name] = seen
    return list(found.values())


def _of_table(
    table: Described, config: JdbcConfig, written: Mapping[str, Any], home: Path, spark: SparkSession,
    taken: Iterable[str],
) -> Seen:  # fmt: skip
    from pyspark.sql import functions as F

    from lakeloom.core.secrets import reveal
    from lakeloom.session.spark import step_session
    from lakeloom.sources.jdbc import Jdbc
    from lakeloom.sources.jdbc.windows import EVERY_ROW, family
    from lakeloom.sources.looking.groups import named
    from lakeloom.sources.looking.watermark import Fact, watermark

    name = named(table.name)
    name = named(f"{table.schema}_{table.name}") if name in taken else name
    with step_session(spark) as session:
        for quoted in (False, True):
            origin = table.origin(reveal(config.url), quoted=quoted)
            try:
                rows = _count(session, config, origin, home)
                break
            except SourceError as error:
                # A name that the database folds, or a word of its own.
                if quoted or error.code != "LL-SOURCE-004":
                    raise
        limited = config.model_copy(update={"table": None, "query": _first(reveal(config.url), origin)})
        landing = Jdbc.read(session, limited, {"partitions": [EVERY_ROW]}, None, home)
        numbers = {"epoch": F.lit(1), "file": F.lit(0), "record": F.monotonically_increasing_id()}
        place = F.struct(*[number.alias(part) for part, number in numbers.items()])
        sample: DataFrame = landing.good.drop("_file", "_file_no", "_record").withColumn("_position", place)
        try:
            _, profile = profile_of(sample, f"bronze.{name}", 0, {}, raw=True)
        finally:
            if landing.shared is not None:
                landing.shared.unpersist()
    spelled = {each: each for each in (column.name for column in profile.columns)}
    spelled |= {stored_name(each.lower() if each.isupper() else each): each for each in table.columns}
    facts = [
        Fact(of, _sortable(each, family(each.type)), of in table.indexed, each.nulls, each.grows)
        for each, of in ((column, spelled[column.name]) for column in profile.columns)
    ]
    mark = watermark(facts, keyed=bool(table.primary or table.unique))
    keys = table.keys
    entry = dict(written) | origin | ({"keys": list(keys)} if keys else {}) | mark.as_entry()
    why = {"": f"{many(rows, 'row')}; {many(profile.rows, 'row')} looked at"}
    why["keys"] = "primary key" if table.primary else "unique index"
    said_at = "incremental" if mark.by else "table" if "table" in entry else "query"
    why[said_at] = "; or ".join((mark.evidence, *mark.others))
    if rows >= _PARTED_FROM_ROWS and len(table.primary) == 1 and table.primary[0] in table.whole and keys:
        number = max(2, min(_MOST_PARTS, rows // _PARTED_FROM_ROWS))
        entry["partitions"] = {"column": table.primary[0], "number": number}
        why["partitions"] = "so many connections at a time; take fewer where the database has few"
    mine = {original: stored for stored, original in spelled.items()}
    return seen(name, entry, why, profile, [mine.get(key, key) for key in keys])


def _sortable(column: ColumnProfile, kind: str | None) -> str | None:
    """Return a column's family; a text only where its values sort as the times that they are."""
    if kind != "text":
        return kind
    return "text" if form_of(column) in ("ISO 8601", "yyyy-MM-dd") and not column.blank else None


def _first(url: str, origin: Mapping[str, str]) -> str:
    from lakeloom.sources.jdbc.dialects import first_rows

    return first_rows(url, origin.get("table") or f"({origin['query']}) lakeloom_table", _ROWS)


def _count(session: SparkSession, config: JdbcConfig, origin: Mapping[str, str], home: Path) -> int:
    from lakeloom.sources.jdbc.connection import at_home, coded, fetch, origin_of
    from lakeloom.sources.jdbc.windows import EVERY_ROW

    asked = at_home(config.model_copy(update={"table": None, "query": None} | dict(origin)), home)
    with coded(asked):
        counted = f"(SELECT COUNT(*) AS row_count FROM {origin_of(asked)}) lakeloom_count"  # noqa: S608 - validated
        row = fetch(session, asked, counted, [EVERY_ROW]).first()
    assert row is not None  # an aggregate without groups has one row
    return int(row[0])
