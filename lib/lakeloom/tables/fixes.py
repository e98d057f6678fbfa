"""Fixes of quarantined rows: new values of single columns, laid over the row as it came.

A fix is kept in the row's entry, as JSON of column → value as text, and is laid over the row whenever
it is read again: by a replay, a backfill, or when the table is built anew. So a corrected row is
not lost where its table is made again. Columns that a fix does not name keep their own values and
types: nothing of them passes through JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.tables.bronze import POSITION
from lakeloom.tables.quarantine import ENTRY, ROW

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_CHANGES, _AT, _ID, _KEY = "_changes", "_fixed_at", "_fixed_id", "_fixed_row"
_JSON = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}
_NESTED = ("struct", "array", "map")


def over_raw(bronze: DataFrame, entries: DataFrame) -> DataFrame:
    """Return bronze rows with the fixes of `entries` that are meant for them."""
    from pyspark.sql import functions as F

    fixes = entries.where("fix IS NOT NULL AND fix_on = 'raw' AND position IS NOT NULL").groupBy("position")
    found = fixes.agg(F.max_by("fix", "changed_at").alias("fix"))
    found = found.select(F.col("position").alias(_AT), changes("fix").alias(_CHANGES))
    return _laid(bronze, bronze.join(found, F.col("_position").cast(POSITION) == F.col(_AT), "left"))


def over_rows(marked: DataFrame, entries: DataFrame) -> DataFrame:
    """Return a transform's rows, marked as entries, with the fixes of `entries` that are meant for them."""
    from pyspark.sql import functions as F

    fixes = entries.where("fix IS NOT NULL AND fix_on = 'row'").groupBy("id", "row")
    found = fixes.agg(F.max_by("fix", "changed_at").alias("fix"))
    found = found.select(F.col("id").alias(_ID), F.col("row").alias(_KEY), changes("fix").alias(_CHANGES))
    same = (F.col(ENTRY) == F.col(_ID)) & (F.col(ROW) == F.col(_KEY))
    return _laid(marked, marked.join(found, same, "left"))


def changes(fix: str) -> Column:
    """Return a column of fixes as maps, column → value as text."""
    from pyspark.sql import functions as F

    return F.from_json(F.col(fix), "map<string,string>")


def as_map(values: dict[str, Column], kinds: dict[str, str]) -> Column:
    """Return new values, of the Spark types `kinds`, as a map column → value as text."""
    from pyspark.sql import functions as F

    pairs = [part for name, value in values.items() for part in (F.lit(name), written(value, kinds[name]))]
    return F.create_map(*pairs).cast("map<string,string>")


def laid_on(earlier: str, new: str) -> Column:
    """Return a fix as it is kept: the map `new`, and of an `earlier` fix the columns that are not named again."""
    from pyspark.sql import functions as F

    before = F.coalesce(changes(earlier), F.expr("map()").cast("map<string,string>"))
    names = F.map_keys(F.col(new))
    rest = F.map_filter(before, lambda name, _: ~F.array_contains(names, name))
    return F.to_json(F.map_concat(rest, F.col(new)), {"ignoreNullFields": "false"})


def misfits(new: Column, kinds: dict[str, str]) -> list[Column]:
    """Return, for each column, whether a map has a value for it that is none of its type."""
    from pyspark.sql import functions as F

    found = []
    for name, kind in kinds.items():
        text = F.try_element_at(new, F.lit(name))
        found.append((text.isNotNull() & restored(text, kind).isNull()).alias(name))
    return found


def written(value: Column, kind: str) -> Column:
    """Return a value of Spark type `kind` as text, so that `restored` gives it back."""
    from pyspark.sql import functions as F

    if kind == "binary":
        return F.base64(value)
    return F.to_json(value, _JSON) if kind.startswith(_NESTED) else value.cast("string")


def restored(text: Column, kind: str) -> Column:
    """Return the value of Spark type `kind` that a text stands for; NULL where it is none."""
    from pyspark.sql import functions as F

    if kind == "string":
        return text
    if kind == "binary":
        return F.unbase64(text)
    return F.from_json(text, kind, _JSON) if kind.startswith(_NESTED) else text.try_cast(kind)


def _laid(frame: DataFrame, joined: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    chosen = []
    for name, kind in frame.dtypes:
        column = joined[quoted(name)]
        if not name.startswith("_"):
            named = F.coalesce(F.map_contains_key(_CHANGES, F.lit(name)), F.lit(False))
            value = restored(F.try_element_at(F.col(_CHANGES), F.lit(name)), kind)
            column = F.when(named, value).otherwise(column)
        chosen.append(column.alias(name, metadata=frame.schema[name].metadata))
    return joined.select(*chosen)
