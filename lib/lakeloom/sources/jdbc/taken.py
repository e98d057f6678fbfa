"""Columns of PostgreSQL that come as Arrow: what is asked of the database, and how that becomes Spark's own value.

Taken are those of which both ways are known to give the same. A table with any other column is read by the driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.sources.landing import LeftToSparkError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import DataType, StructField

_DIGITS = 18  # of a decimal that a whole number of 64 bits holds
# Days and microseconds of the years in which both calendars are one, and which are no infinity.
_DAYS = (-141_427, 2_932_896)  # 1582-10-15, 9999-12-31
_DAY_US = 86_400_000_000
_TIMES = (_DAYS[0] * _DAY_US, (_DAYS[1] + 1) * _DAY_US - 1)
# PostgreSQL's type → Spark's, Arrow's, and SQL of the value where it is not the column itself.
_PLAIN = {
    "bool": ("boolean", "bool", ""),
    "int2": ("smallint", "int16", ""), "smallserial": ("smallint", "int16", ""),
    "int4": ("int", "int32", ""), "serial": ("int", "int32", ""),
    "int8": ("bigint", "int64", ""), "bigserial": ("bigint", "int64", ""),
    "float4": ("float", "float", ""), "float8": ("double", "double", ""),
    "date": ("date", "date32", ""),
    "timestamp": ("timestamp", "timestamp", ""), "timestamptz": ("timestamp", "timestamp", ""),
    "text": ("string", "string", ""), "varchar": ("string", "string", ""), "bpchar": ("string", "string", ""),
    "uuid": ("string", "string", "::text"), "json": ("string", "string", "::text"),
    "jsonb": ("string", "string", "::text"),
    "bytea": ("binary", "binary", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """One column.

    Attributes
    ----------
    name : str
        As bronze has it.
    sql : str
        What is asked of the database.
    kind : str
        Arrow's type.
    digits, scale : int
        Of a decimal, whose unscaled value comes as a whole number.
    """

    name: str
    sql: str
    kind: str
    digits: int = 0
    scale: int = 0

    def type(self) -> pa.DataType:
        """Return the column's type as bronze has it."""
        import pyarrow as pa

        if self.kind == "decimal":
            return pa.decimal128(self.digits, self.scale)
        if self.kind == "timestamp":
            return pa.timestamp("us", "UTC")
        return pa.type_for_alias(self.kind)

    def value(self, column: pa.Array) -> pa.Array:
        """Return a column that came as Spark's reader would have made it.

        Raises
        ------
        LeftToSparkError
            For a date or time that it would make something else of, and one that is no number.
        """
        import pyarrow as pa

        wanted = self.type()
        _within(column)
        if self.kind == "decimal":
            return _decimals(column, wanted)
        if column.type == wanted:
            return column
        if self.kind != "timestamp" or not pa.types.is_timestamp(column.type) or column.type.unit != "us":
            raise LeftToSparkError(f"a column came as {column.type}")
        return pa.Array.from_buffers(wanted, len(column), column.buffers(), offset=column.offset)


def taken(field: StructField, name: str, quoted: str, kind: str) -> Taken | None:
    """Return how a column is taken, None where it is left to the driver.

    Parameters
    ----------
    field : StructField
        The column as Spark's reader gives it.
    name : str
        Its name in bronze.
    quoted : str
        Its name in SQL.
    kind : str
        The database's type, as the driver tells it.
    """
    spark = field.dataType.simpleString()
    if kind == "numeric":
        return _numeric(field.dataType, name, quoted)
    if kind not in _PLAIN or _PLAIN[kind][0] != spark:
        return None
    return Taken(name, quoted + _PLAIN[kind][2], _PLAIN[kind][1])


def _numeric(kind: DataType, name: str, quoted: str) -> Taken | None:
    digits, scale = getattr(kind, "precision", 0), getattr(kind, "scale", 0)
    if not 0 < digits <= _DIGITS or not 0 <= scale <= digits:
        return None
    return Taken(name, f"({quoted} * {10**scale})::bigint" if scale else f"{quoted}::bigint", "decimal", digits, scale)


def _within(column: pa.Array) -> None:
    """Refuse days and times that are infinite, or of years in which calendars differ."""
    import pyarrow as pa
    from pyarrow import compute

    days = pa.types.is_date32(column.type)
    if not days and not pa.types.is_timestamp(column.type):
        return
    low, high = _DAYS if days else _TIMES
    whole = pa.Array.from_buffers(
        pa.int32() if days else pa.int64(), len(column), column.buffers(), offset=column.offset
    )
    found = compute.min_max(whole).as_py()
    if found["min"] is not None and (found["min"] < low or found["max"] > high):
        raise LeftToSparkError("a date or time outside of 1582-10-15 to 9999-12-31")


def _decimals(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Return decimals of unscaled values."""
    import numpy as np
    import pyarrow as pa

    if column.type != pa.int64():
        raise LeftToSparkError(f"a decimal came as {column.type}")
    values = np.frombuffer(column.buffers()[1], dtype="<i8", count=column.offset + len(column))
    wide = np.empty((len(values), 2), dtype="<i8")
    wide[:, 0] = values
    wide[:, 1] = values >> 63
    return pa.Array.from_buffers(
        wanted, len(column), [column.buffers()[0], pa.py_buffer(wide)], column.null_count, offset=column.offset
    )
