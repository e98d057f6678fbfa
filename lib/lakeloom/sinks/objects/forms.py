"""Rows in the form that a format can hold: what CSV has no way to say becomes text, a row of JSON one line.

NULL is nothing at all in CSV and ``""`` the empty text; times are ISO 8601 in UTC; bytes are base64; what is nested is
JSON. Parquet keeps Spark's own types but variants, which become JSON, and intervals, which become text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.sinks.objects.config import ObjectsConfig

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

# The row as one line of JSON; where it belongs, as JSON of the partition's values.
LINE, WHERE = "_line", "_where"
_ZONED, _LOCAL = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
_JSON = {"ignoreNullFields": "false", "timestampFormat": _ZONED, "timestampNTZFormat": _LOCAL}
_AS_THEY_ARE = ("boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "date")


def formed(rows: DataFrame, config: ObjectsConfig) -> DataFrame:
    """Return the rows as their format takes them, the column `WHERE` last."""
    from pyspark.sql import functions as F

    values = [field for field in rows.schema.fields if field.name not in config.partition_by]
    parts = [F.col(quoted(name)).cast("string") for name in config.partition_by]
    where = F.to_json(F.array(*parts)) if parts else F.lit("[]")
    if config.format == "json":
        line = F.to_json(F.struct(*[F.col(quoted(field.name)) for field in values]), _JSON)
        return rows.select(line.alias(LINE), where.alias(WHERE))
    form = _in_csv if config.format == "csv" else _in_parquet
    told = [form(F.col(quoted(field.name)), field.dataType).alias(field.name) for field in values]
    return rows.select(*told, where.alias(WHERE))


def _in_csv(value: Column, kind: DataType) -> Column:
    from pyspark.sql import functions as F

    name = kind.simpleString()
    if name in _AS_THEY_ARE or name.startswith("decimal"):
        return value
    if name in ("timestamp", "timestamp_ntz"):
        return F.date_format(value, _ZONED if name == "timestamp" else _LOCAL)
    if name == "binary":
        return F.base64(value)
    if name.startswith(("struct", "array", "map", "variant")):
        return F.to_json(value, _JSON)
    return value.cast("string")


def _in_parquet(value: Column, kind: DataType) -> Column:
    from pyspark.sql import functions as F

    name = kind.simpleString()
    if name == "variant":
        return F.to_json(value)
    return value.cast("string") if name.startswith("interval") else value
