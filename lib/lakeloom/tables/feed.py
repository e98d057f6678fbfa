"""Streams of changes as others write them → rows that say whether they delete, in an order: ``changes:`` of a table.

``debezium`` is the envelope of Debezium's connectors: ``before``, ``after``, ``op`` and ``source``, as
structs or as JSON, alone or below ``payload``. ``generic`` is a row with a column that says what was done.
``delta`` is the change feed of a Delta table (an input that is read as ``changes``).

What comes out has ``_deleted``, and ``_sequence`` where a sequence is named. A change of an unknown kind,
without its row, or with a value that its column's type can't hold goes to quarantine. Truncations do
too: what they take away is not in the stream. A Kafka tombstone (all NULL) says nothing that the deletion
before it has not said, and is left out.

Source: Debezium's documentation of change events; Delta's change data feed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from lakeloom.core.names import quoted
from lakeloom.quality.marks import FAULTS, with_faults
from lakeloom.store.manner import DELETED
from lakeloom.tables.casts import fits, lossless, spelled
from lakeloom.tables.words import Strict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column, DataFrame

    from lakeloom.tables.spec import ColumnSpec

SEQUENCE = "_sequence"
# What Delta puts beside the columns of a table that is read as changes.
FEED = ("_change_type", "_commit_version", "_commit_timestamp")


class ChangesSpec(Strict):
    """What the rows of a stream of changes look like.

    Attributes
    ----------
    format : {'debezium', 'generic', 'delta'}
    sequence : str, optional
        Where the order of the changes stands: a column, or a path such as ``source.lsn``. By default Debezium's
        ``ts_ms`` and Delta's version.
    operation : str
        For ``generic``: the column that says what was done.
    insert, update, delete : tuple of str
        For ``generic``: what it says.
    """

    format: Literal["debezium", "generic", "delta"]
    sequence: str | None = None
    operation: str = "op"
    insert: tuple[str, ...] = ("I", "insert")
    update: tuple[str, ...] = ("U", "update")
    delete: tuple[str, ...] = ("D", "delete")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"format": raw} if isinstance(raw, str) else raw


def unwrapped(frame: DataFrame, spec: ChangesSpec, columns: Mapping[str, ColumnSpec]) -> DataFrame:
    """Return the rows that the changes are about, with ``_deleted``, ``_sequence`` and ``_faults``.

    Parameters
    ----------
    columns : mapping
        The contract's: which fields are taken out of Debezium's rows, and as what types.
    """
    if spec.format == "debezium":
        return _debezium(frame, spec, columns)
    return _delta(frame) if spec.format == "delta" else _generic(frame, spec)


def _debezium(frame: DataFrame, spec: ChangesSpec, columns: Mapping[str, ColumnSpec]) -> DataFrame:
    from pyspark.sql import functions as F

    if "payload" in frame.columns and "op" not in frame.columns:
        frame = _spread(frame, "payload", ("before", "after", "op", "source", "ts_ms"))
    said = F.col("after").isNotNull() | F.col("before").isNotNull() | F.col("op").isNotNull()
    frame = frame.where(said)
    deleted = F.coalesce(F.col("op") == "d", F.lit(False))
    known = F.coalesce(F.col("op").isin("c", "r", "u", "d"), F.lit(False))
    row = F.when(deleted, F.col("before")).otherwise(F.col("after"))
    frame = frame.withColumn("_row", row)
    frame, types = _opened(frame, "_row")
    values, faults = [], [F.when(~known, F.lit("changes:operation"))]
    faults.append(F.when(known & F.col("_row").isNull(), F.lit("changes:row")))
    for name, column in columns.items():
        want = spelled(column.type)
        if types is not None and name not in types:
            value, got = F.lit(None).cast("string"), "void"
        else:
            value, got = F.col("_row").getField(name), "string" if types is None else types[name]
        if lossless(got, want):
            values.append(value.cast(column.type).alias(name))
            continue
        cast, held = fits(value, got, want)
        values.append(F.when(held, cast).alias(name))
        faults.append(F.when(~held, F.lit(f"contract:{name}")))
    place = _path(frame, spec.sequence or "ts_ms").try_cast("bigint")
    faults.append(F.when(place.isNull(), F.lit("changes:sequence")))
    platform = [F.col(quoted(name)) for name in frame.columns if name.startswith("_") and name not in ("_row", FAULTS)]
    return frame.select(
        *values, *platform, place.alias(SEQUENCE), deleted.alias(DELETED), _reasons(frame, faults).alias(FAULTS)
    )


def _generic(frame: DataFrame, spec: ChangesSpec) -> DataFrame:
    from pyspark.sql import functions as F

    operation = F.col(quoted(spec.operation)).cast("string")
    deleted = F.coalesce(operation.isin(*spec.delete), F.lit(False))
    known = F.coalesce(operation.isin(*spec.insert, *spec.update, *spec.delete), F.lit(False))
    faults = [F.when(~known, F.lit("changes:operation"))]
    if spec.sequence:
        place = _path(frame, spec.sequence)
        faults.append(F.when(place.isNull(), F.lit("changes:sequence")))
        frame = frame.withColumn(SEQUENCE, place)
    return frame.withColumn(DELETED, deleted).withColumn(FAULTS, _reasons(frame, faults)).drop(spec.operation)


def _delta(frame: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F

    after = frame.where("_change_type <> 'update_preimage'")
    told = after.withColumn(DELETED, F.col("_change_type") == "delete").withColumn(SEQUENCE, F.col("_commit_version"))
    return told.drop(*FEED)


def _opened(frame: DataFrame, name: str) -> tuple[DataFrame, dict[str, str] | None]:
    """Return the frame with a column's JSON read, and the types of its fields; None where all are text."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import StructType

    kind = frame.schema[name].dataType
    if isinstance(kind, StructType):
        return frame, {part.name: part.dataType.simpleString() for part in kind.fields}
    return frame.withColumn(name, F.from_json(F.col(name).cast("string"), "map<string,string>")), None


def _spread(frame: DataFrame, name: str, parts: tuple[str, ...]) -> DataFrame:
    from pyspark.sql import functions as F

    frame, types = _opened(frame, name)
    for part in parts:
        there = types is None or part in types
        frame = frame.withColumn(part, F.col(name).getField(part) if there else F.lit(None).cast("string"))
    return frame.drop(name)


def _path(frame: DataFrame, path: str) -> Column:
    """Return the value at a path: of a struct, or of JSON text."""
    from pyspark.sql import functions as F

    column, _, rest = path.partition(".")
    value = F.col(quoted(column))
    if not rest:
        return value
    if dict(frame.dtypes)[column] == "string":
        return F.get_json_object(value, f"$.{rest}")
    for part in rest.split("."):
        value = value.getField(part)
    return value


def _reasons(frame: DataFrame, faults: list[Column]) -> Column:
    from pyspark.sql import functions as F

    return with_faults(frame.columns, F.array_compact(F.array(*faults)))
