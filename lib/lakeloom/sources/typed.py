"""Raw columns → the declared types, and frames of differing columns → one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import SourceError
from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.records import MARKS, RAW, REASONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def typed(frame: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Cast the declared columns; where a value does not fit, the record is broken and keeps its raw text."""
    from pyspark.sql import functions as F

    raw = [name for name in frame.columns if name not in MARKS]
    declared = {stored_name(name).lower(): kind for name, kind in types.items()}
    values, misfits = [], []
    for name in raw:
        column, kind = F.col(quoted(name)), declared.get(name.lower())
        if kind is None:
            values.append(column)
            continue
        nested = (
            kind.lower().startswith(("struct", "map", "array")) and frame.schema[name].dataType.typeName() == "string"
        )
        cast = F.from_json(column, kind, {"mode": "PERMISSIVE"}) if nested else column.try_cast(kind)
        values.append(cast.alias(name))
        misfits.append(F.when(column.isNotNull() & cast.isNull(), F.lit(f"{name}: not {kind}")))
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


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """Return all rows by column name; a column that some lack is NULL there.

    Columns whose types differ become text, unless both are numbers; raises LL-SOURCE-004 where they
    can't.
    """
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    kinds: dict[str, set[str]] = {}
    for frame in frames:
        for name, kind in frame.dtypes:
            kinds.setdefault(name.lower(), set()).add(kind)
    numbers = {"tinyint", "smallint", "int", "bigint", "float", "double"}
    as_text = {name for name, found in kinds.items() if len(found) > 1 and not found <= numbers}
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
