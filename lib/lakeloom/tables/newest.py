"""One row a key: whether a batch repeats a key, and the row with the greatest sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def repeated(frame: DataFrame, keys: tuple[str, ...]) -> bool:
    """Return whether any key stands in `frame` more than once.

    Only keys are shuffled. Most batches hold each key once, and are spared `newest`, which shuffles and
    sorts whole rows.
    """
    return not frame.groupBy(*[quoted(key) for key in keys]).count().where("count > 1").isEmpty()


def newest(frame: DataFrame, keys: tuple[str, ...], sequence: str | None) -> DataFrame:
    """Return one row a key of `frame`: that with the greatest `sequence`.

    Ties in the sequence are broken by ``_position`` where the rows have it, then by the row's own values, so that
    a replay chooses the same row.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    values = [name for name, kind in frame.dtypes if name not in keys and "map<" not in kind and "variant" not in kind]
    places = dict.fromkeys(name for name in (sequence, "_position") if name and name in frame.columns)
    order = [F.col(quoted(name)).desc_nulls_last() for name in places]
    order.append(F.xxhash64(*[F.col(quoted(name)) for name in values]).desc() if values else F.lit(0))
    window = Window.partitionBy(*[quoted(key) for key in keys]).orderBy(*order)
    return frame.withColumn("_rank", F.row_number().over(window)).where("_rank = 1").drop("_rank")
