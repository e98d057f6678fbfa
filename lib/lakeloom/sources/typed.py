"""Raw columns → the declared types, and frames of differing columns → one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import SourceError
from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.records import MARKS, RAW, REASONS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

FIRST_YEAR, LAST_YEAR = 1, 9999  # what SQL, Python and most readers of tables call a date
_WHOLE = ("tinyint", "byte", "smallint", "short", "int", "integer", "bigint", "long")
_NUMBERS = frozenset([*_WHOLE, "float", "real", "double", "decimal", "dec", "numeric"])
_TIMES = frozenset(["date", "timestamp", "timestamp_ntz", "timestamp_ltz"])


def stored_types(known: DataFrame | None) -> dict[str, DataType]:
    """Return the types of a bronze table's raw columns by name in small letters; none of None."""
    fields = [] if known is None else known.schema.fields
    return {each.name.lower(): each.dataType for each in fields if not each.name.startswith("_")}


def typed(
    frame: DataFrame, types: Mapping[str, str], stored: Mapping[str, DataType] | None = None, *, dates: bool = False
) -> DataFrame:
    """Cast columns to what is declared, else to what is stored; a value that does not fit breaks its record.

    Nothing turns NULL in silence, and no number loses digits: what would come back as another value does not fit.
    Text is read as SQL does: a decimal is rounded to its scale.

    Parameters
    ----------
    types : mapping
        Declared Spark types by column.
    stored : mapping, optional
        Those of the table that the rows go to, by name in small letters: inferred once, then enforced.
    dates : bool
        Whether dates that came as such are looked at too: outside of the years 1 to 9999 they don't fit.
    """
    from pyspark.sql import functions as F

    raw = [name for name in frame.columns if name not in MARKS]
    declared = {stored_name(name).lower(): kind for name, kind in types.items()}
    given = dict(frame.dtypes)
    values, misfits = [], []
    for name in raw:
        column, kind = F.col(quoted(name)), declared.get(name.lower())
        if kind is None:
            kind = _enforced(frame.schema[name].dataType, (stored or {}).get(name.lower()))
        value, fits = (column, None) if kind is None else _cast(column, given[name], kind, name.lower() in declared)
        told = kind or given[name]
        if _base(told) in _TIMES and (dates or fits is not None):
            within = F.coalesce(F.year(value).between(FIRST_YEAR, LAST_YEAR), F.lit(True))
            value, fits = F.when(within, value), within if fits is None else fits & within
        values.append(value.alias(name))
        if fits is not None:
            misfits.append(F.when(~fits, F.lit(f"{name}: not {told}")))
    if not misfits:
        return frame
    as_read = F.to_json(F.struct(*[F.col(quoted(name)) for name in raw]))
    broken = F.size(F.array_compact(F.array(*misfits))) > 0
    sound = F.size(REASONS) == 0
    return frame.select(
        *values,
        "_path",
        "_record",
        F.coalesce(F.col(RAW), F.when(broken, as_read)).alias(RAW),
        F.when(sound, F.array_compact(F.array(*misfits))).otherwise(F.col(REASONS)).alias(REASONS),
    )


def _base(kind: str) -> str:
    return kind.lower().partition("(")[0].partition("<")[0].strip()


def _family(kind: str) -> str:
    base = _base(kind)
    if base in ("struct", "map", "array"):
        return "nested"
    return "number" if base in _NUMBERS else "time" if base in _TIMES else "text" if base in _TEXTS else base


_TEXTS = frozenset(["string", "varchar", "char"])
_CASTS = {("number", "number"), ("time", "time"), ("number", "boolean"), ("boolean", "number"), ("binary", "text")}


def _enforced(given: DataType, stored: DataType | None) -> str | None:
    """Return the stored type where values are to be held to it; a nested one may lack fields, or have more."""
    return None if stored is None or _grows(given, stored) else stored.simpleString()


def _grows(given: DataType, stored: DataType, within: tuple[str, ...] = ("struct", "array", "map")) -> bool:
    """Return whether a type is the stored one, but for fields of structs that only one of them has."""
    kind = given.typeName()
    if kind != stored.typeName() or kind not in within:
        return given.simpleString() == stored.simpleString()
    one, other = _parts(given), _parts(stored)
    return all(_grows(one[name], other[name], within) for name in one.keys() & other.keys())


def _parts(kind: Any) -> dict[str, DataType]:
    if kind.typeName() == "struct":
        return {each.name.lower(): each.dataType for each in kind.fields}
    return (
        {"element": kind.elementType} if kind.typeName() == "array" else {"key": kind.keyType, "value": kind.valueType}
    )


def _cast(column: Column, given: str, kind: str, said: bool) -> tuple[Column, Column]:
    """Return a column cast, and whether its value is still the one that it was."""
    from pyspark.sql import functions as F

    source, target = _family(given), _family(kind)
    if source == "text" and target == "nested":
        value = F.from_json(column, kind, {"mode": "PERMISSIVE"})
        return value, column.isNull() | value.isNotNull()
    if source == "text" or (said and source == target == "nested"):
        value = column.try_cast(kind)
        return value, column.isNull() | value.isNotNull()
    if target == "text" and source != "binary":
        return (F.to_json(column) if source == "nested" else column.cast(kind)), F.lit(True)
    if (source, target) in _CASTS or (said and (source, target) == ("number", "time")):
        value = column.try_cast(kind)
        return value, value.try_cast(given).eqNullSafe(column)
    return F.lit(None).cast(kind), column.isNull()


def _unite(found: Sequence[DataType]) -> bool:
    """Return whether columns of these types can stand below each other as they are."""
    numbers = {"tinyint", "smallint", "int", "bigint", "float", "double"}
    return {each.simpleString() for each in found} <= numbers or all(
        _grows(each, found[0], ("struct",)) for each in found
    )


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """Return all rows by column name; a column that some lack is NULL there.

    Columns whose types differ become text, unless all are numbers, or structs that lack each other's fields;
    raises LL-SOURCE-004 where they can't.
    """
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    kinds: dict[str, list[DataType]] = {}
    for frame in frames:
        for each in frame.schema.fields:
            kinds.setdefault(each.name.lower(), []).append(each.dataType)
    as_text = {name for name, found in kinds.items() if not _unite(found)}
    total: DataFrame | None = None
    try:
        for frame in frames:
            columns = [
                (F.col(quoted(name)).cast("string") if name.lower() in as_text else F.col(quoted(name))).alias(name)
                for name in frame.columns
            ]
            even = frame.select(*columns)
            total = even if total is None else total.unionByName(even, allowMissingColumns=True)
    except AnalysisException as cause:
        raise SourceError(
            "LL-SOURCE-004",
            "files of one source hold columns of types that can't be united",
            fix="declare the types under 'columns', or make two sources of it",
        ) from cause
    assert total is not None  # there is at least one group
    return total
