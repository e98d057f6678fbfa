"""Rows in the types that a database's columns take, and one row a key of a stream of changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import SinkError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import quoted
from lakeloom.sinks.jdbc.products import GONE, ROW
from lakeloom.sources.jdbc.dialects import product
from lakeloom.tables.feed import FEED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

_NESTED = ("struct", "array", "map", "variant")
_ZONED = ("timestamptz", "timestamp with time zone", "datetimeoffset", "timestamp with local time zone")
_LOCAL = "yyyy-MM-dd HH:mm:ss.SSSSSS"


def spelled(names: Sequence[str], there: Mapping[str, str], where: str, table: str) -> dict[str, str]:
    """Return name → the column as the database spells it; raises LL-SINK-006 for one that is not there."""
    near = {name.lower(): name for name in there}
    found = {}
    for name in names:
        match = name if name in there else near.get(name.lower())
        if match is None:
            like = nearest(name.lower(), list(near))
            raise SinkError(
                "LL-SINK-006", f"{table} has no column '{name}' ({', '.join(there)})", where=where,
                fix=f"call it '{near[like]}', or leave it out by columns:" if like else "leave it out by columns:",
            )  # fmt: skip
        found[name] = match
    return found


def staged(rows: DataFrame, names: Mapping[str, str], there: Mapping[str, str], url: str) -> DataFrame:
    """Return the rows under the database's names and in types that its columns take, each with a number of its own."""
    from pyspark.sql import functions as F

    told = [
        _fitted(F.col(quoted(field.name)), field.dataType, there[names[field.name]].lower(), product(url)).alias(
            names[field.name]
        )
        for field in rows.schema.fields
        if field.name in names
    ]
    gone = F.col(GONE) if GONE in rows.columns else F.lit(0).cast("bigint").alias(GONE)
    return rows.select(*told, F.monotonically_increasing_id().alias(ROW), gone)


def newest(rows: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Return, of a stream of changes, what each key has come to: its last row, `GONE` where it was deleted.

    Within one commit what is written counts, whatever it deletes: a table that is built anew does both. Where two rows
    of one key were written by one commit both come, for who looks at the keys to refuse.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    gone = (F.col("_change_type") == "delete").cast("bigint")
    order = Window.partitionBy(*map(quoted, keys)).orderBy(F.desc("_commit_version"), GONE)
    ranked = rows.withColumn(GONE, gone).withColumn("_place", F.rank().over(order))
    last = ranked.where("_place = 1")
    # Deleted twice in one commit is deleted once.
    values = [name for name in last.columns if name not in (*keys, GONE)]
    both = (
        last.where(f"{GONE} = 1").dropDuplicates(list(keys)).unionByName(last.where(f"{GONE} = 0")) if values else last
    )
    return both.drop("_place", *FEED)


def _fitted(value: Column, kind: DataType, there: str, database: str) -> Column:
    from pyspark.sql import functions as F

    name = kind.simpleString()
    if name.startswith(_NESTED):
        array = name.startswith("array") and database == "postgresql" and there.startswith("_")
        return value if array and not any(word in name[6:] for word in _NESTED) else F.to_json(value)
    if name.startswith("interval"):
        return value.cast("string")
    if database == "sqlite" and name in ("timestamp", "timestamp_ntz"):
        return F.date_format(value, _LOCAL)  # its driver would store a number of milliseconds
    if database == "sqlite" and name == "date":
        return value.cast("string")
    if name == "timestamp" and there not in _ZONED:
        return value.cast("timestamp_ntz")  # the wall clock in UTC, whatever the zone of the machine
    if name == "timestamp_ntz" and there in _ZONED:
        return value.cast("timestamp")
    return value
