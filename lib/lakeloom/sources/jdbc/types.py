"""The columns of a source and their types: which come as text so that nothing is lost, how names are spelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import SourceError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import quoted
from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import condition, fetch, origin_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def table(spark: SparkSession, config: JdbcConfig, predicates: Sequence[str], **more: str) -> DataFrame:
    """Return the source's rows that the predicates take, in the columns that it names, without a value that is cut."""
    taken = [windows.both(condition(config), each) for each in predicates]
    found = fetch(spark, config, origin_of(config), taken, **more)
    lossy = _lossy(found, config)
    if lossy:
        asked = ", ".join(f"{quoted(name)} STRING" for name in lossy)
        found = fetch(spark, config, origin_of(config), taken, customSchema=asked, **more)
    types = dict(found.dtypes)
    # Spark asks the database for no other columns.
    return found.select(*(quoted(spelled(types, name)) for name in config.columns)) if config.columns else found


def _lossy(rows: DataFrame, config: JdbcConfig) -> list[str]:
    """Return the columns that are read as text, since Spark's type for them would lose of their values in silence.

    Decimals, also in arrays, with more places than Spark's type gives them, or (NUMERIC without a length) as many as
    each value has; times of day, which some databases count beyond a day; MySQL's and MariaDB's BIT of several bits,
    which Spark takes for a signed number. A watermark keeps its type, in which it is compared.
    """
    from pyspark.sql.types import ArrayType, DecimalType, StructField

    by = config.incremental.by.lower() if config.incremental is not None else ""

    def loses(field: StructField) -> bool:
        kind = field.dataType
        while isinstance(kind, ArrayType):
            kind = kind.elementType
        if isinstance(kind, DecimalType):
            return bool(field.metadata.get("scale", kind.scale) != kind.scale)
        return bool(field.metadata.get("logical_time_type") or field.metadata.get("binarylong"))

    return [field.name for field in rows.schema if field.name.lower() != by and loses(field)]


def spelled(types: Mapping[str, str], name: str, families: tuple[str, ...] = ()) -> str:
    """Return a column's name as the database spells it."""
    for found, kind in types.items():
        if found.lower() == name.lower():
            if families and windows.family(kind) not in families:
                raise SourceError(
                    "LL-SOURCE-003",
                    f"column '{name}' is {kind}; here it may be {', '.join(families)}",
                    fix="take another",
                )
            return found
    near = nearest(name.lower(), {each.lower(): each for each in types})
    raise SourceError(
        "LL-SOURCE-003",
        f"column '{name}' is not in the source ({', '.join(types)})",
        fix=f"use '{near}'" if near else "use one of them",
    )
