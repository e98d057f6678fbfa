"""Streams of changes as others write them → rows that say whether they delete, in an order: ``changes:`` of a table.

``debezium`` is the envelope of Debezium's connectors: ``before``, ``after``, ``op`` and ``source``, as
structs or as JSON, alone or below ``payload``. ``generic`` is a row with a column that says what was done.
``delta`` is the change feed of a Delta table (an input that is read as ``changes``).

What comes out has ``_deleted``, ``_sequence`` where a sequence is named, and every field of the rows. A change of
an unknown kind, without its row, or with a value that its column's type can't hold goes to quarantine. Truncations
do too: what they take away is not in the stream. A Kafka tombstone (all NULL) says nothing that the deletion before
it has not said, and is left out.

Source: Debezium's documentation of change events; Delta's change data feed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from lakeloom.cleansing.json_texts import text_at
from lakeloom.core.names import quoted
from lakeloom.quality.marks import FAULTS, with_faults
from lakeloom.store.manner import DELETED
from lakeloom.store.types import kind_of, nodes_of
from lakeloom.tables.fitting import MISFITS, Evolve, Fit, differs, fit, wanted
from lakeloom.tables.images import Field, fields, opened
from lakeloom.tables.words import Strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from lakeloom.tables.spec import ColumnSpec

SEQUENCE = "_sequence"
_ROW = "_row"
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


def unwrapped(
    frame: DataFrame,
    spec: ChangesSpec,
    columns: Mapping[str, ColumnSpec],
    *,
    evolve: Evolve = "none",
    table: str = "",
) -> DataFrame:
    """Return the rows that the changes are about, with ``_deleted``, ``_sequence`` and ``_faults``.

    Values of Debezium's rows are looked at one by one also where the table does not evolve: nobody casts between
    the database and the table. Fields that the contract does not name are columns behind the others, for
    `lakeloom.tables.contract.conform` to treat as any table's; without a contract all are taken.

    Parameters
    ----------
    columns : mapping
        The contract's: as what types the fields of Debezium's rows are taken.
    evolve : {'none', 'add', 'widen', 'rescue'}
        The table's.

    Returns
    -------
    DataFrame
        With ``_misfits`` too, a struct of what is to be rescued, where a column rescues.

    Raises
    ------
    TableError
        LL-TABLE-004 where a type has nothing in common with the contract's, or a field that may not be added is
        inside a column or begins with ``_``.
    """
    if spec.format == "debezium":
        return _debezium(frame, spec, columns, evolve, table)
    return _delta(frame) if spec.format == "delta" else _generic(frame, spec)


def _debezium(
    frame: DataFrame, spec: ChangesSpec, columns: Mapping[str, ColumnSpec], evolve: Evolve, table: str
) -> DataFrame:
    from pyspark.sql import functions as F

    if "payload" in frame.columns and "op" not in frame.columns:
        frame = _spread(frame, "payload", ("before", "after", "op", "source", "ts_ms"))
    said = F.col("after").isNotNull() | F.col("before").isNotNull() | F.col("op").isNotNull()
    frame = frame.where(said)
    deleted = F.coalesce(F.col("op") == "d", F.lit(False))
    known = F.coalesce(F.col("op").isin("c", "r", "u", "d"), F.lit(False))
    row = F.when(deleted, F.col("before")).otherwise(F.col("after"))
    frame = opened(frame.withColumn(_ROW, row), _ROW)
    faults = [F.when(~known, F.lit("changes:operation"))]
    faults.append(F.when(known & F.col(_ROW).isNull(), F.lit("changes:row")))
    place = _path(frame, spec.sequence or "ts_ms").try_cast("bigint")
    platform = [name for name in frame.columns if name.startswith("_") and name not in (_ROW, FAULTS, *columns)]
    taken = _taken(
        fields(frame, _ROW, {name: wanted(name, each.type) for name, each in columns.items()}), columns, evolve
    )
    own = {name.lower() for name in (*platform, SEQUENCE, DELETED, FAULTS, MISFITS)}
    taken.problems += [f"{name} is a name of the platform's own" for name in taken.more if name.lower() in own]
    if taken.problems or taken.undeclared:
        raise differs(table, taken.problems, taken.undeclared)
    values = [value.alias(name) for name, value in (taken.values | taken.more).items()]
    if taken.misfits:
        values.append(F.struct(*(value.alias(path) for path, value in taken.misfits.items())).alias(MISFITS))
    faults += [*taken.faults, F.when(place.isNull(), F.lit("changes:sequence"))]
    return frame.select(
        *values,
        *(F.col(quoted(name)) for name in platform),
        place.alias(SEQUENCE),
        deleted.alias(DELETED),
        _reasons(frame, faults).alias(FAULTS),
    )


@dataclass
class _Taken:
    """What is taken of images: the contract's columns, those behind them, and what does not fit."""

    values: dict[str, Column] = field(default_factory=dict)
    more: dict[str, Column] = field(default_factory=dict)
    misfits: dict[str, Column] = field(default_factory=dict)
    faults: list[Column] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)


def _taken(image: Mapping[str, Field], columns: Mapping[str, ColumnSpec], evolve: Evolve) -> _Taken:
    from pyspark.sql import functions as F

    taken = _Taken()
    for name, column in columns.items():
        if name not in image:
            taken.values[name] = F.lit(None).cast(column.type)
            continue
        part, policy = image[name], column.evolve or evolve
        found = _fit(name, part, column, policy)
        taken.problems += found.problems
        taken.undeclared += found.undeclared
        taken.values[name] = found.made(part.value)
        taken.faults += found.reasons(part.value)
        taken.misfits |= {path: kept(part.value) for path, kept in found.rescued}
        if part.malformed is not None and policy == "rescue":
            taken.misfits[name] = F.when(part.malformed, part.text)
        elif part.malformed is not None:
            taken.faults.append(F.when(part.malformed, F.lit(f"contract:{name}")))
    for name, part in image.items():
        if name in columns:
            continue
        # What begins so passes a contract as the platform's own, which a source's field is not.
        if columns and name.startswith("_") and evolve == "none":
            taken.undeclared.append(name)
        elif columns and name.startswith("_") and evolve == "rescue":
            taken.misfits[name] = part.value
        else:
            taken.more[name] = part.value
    return taken


def _fit(name: str, part: Field, column: ColumnSpec, evolve: Evolve) -> Fit:
    """Return how a field goes into its column; text stands for any type that JSON and connectors have no form for."""
    kind = wanted(name, column.type)
    if part.kind == "string" and kind in ("binary", "variant"):
        return Fit(lambda value: value.try_cast(str(kind)))
    return fit(name, part.kind, kind, evolve, by_value=True, said=column.type)


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


def outlived(frame: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Return the changes of a Delta table without the deletions of keys that the same commit writes.

    A table that is built anew deletes its rows and inserts them in one commit, under one version: what stands after
    the commit counts, whatever the rows' places say.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    written = F.max(~F.col(DELETED)).over(Window.partitionBy(*map(quoted, keys), SEQUENCE))
    return frame.withColumn("_written", written).where(f"NOT ({DELETED} AND _written)").drop("_written")


def _spread(frame: DataFrame, name: str, parts: tuple[str, ...]) -> DataFrame:
    from pyspark.sql import functions as F

    frame = opened(frame, name)
    kind = nodes_of(frame)[name]
    types = None if kind_of(kind) == "map" else {part["name"] for part in kind["fields"]}  # type: ignore[index]
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
        return text_at(value, f"$.{rest}")
    for part in rest.split("."):
        value = value.getField(part)
    return value


def _reasons(frame: DataFrame, faults: list[Column]) -> Column:
    from pyspark.sql import functions as F

    return with_faults(frame.columns, F.array_compact(F.array(*faults)))
