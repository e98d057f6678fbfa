"""Which events of its feature views each row of a dataset has seen: the ones that its features are made of.

By the same rules as the join itself: of its entity, visible as of the row's time, inside the longest window that is
used, and for the newest value the newest of them. The join computes over them in numpy; here they are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakeloom.datasets.columns import AS_OF, outputs
from lakeloom.datasets.spec import DatasetSpec, FeatureUse
from lakeloom.features.spec import FeatureView
from lakeloom.features.views import AVAILABLE_AT, EVENT_TIME

_KEY = "_key_"


def seen(
    labels: DataFrame, spec: DatasetSpec, use: FeatureUse, view: FeatureView, events: DataFrame,
    available: Mapping[str, str], name: str,
) -> DataFrame:  # fmt: skip
    """Return pairs of a label row and an event that one use of a view has seen.

    Parameters
    ----------
    labels : DataFrame
        Rows of the label table.
    events : DataFrame
        The view's table, with a column `name`.
    available : mapping
        Column of the label table → SQL for when it was known.

    Returns
    -------
    DataFrame
        The label's key columns, and `name` of the event.
    """
    wanted = outputs(use, {str(use.view): view})
    as_of = F.expr(spec.as_of)
    on = {key: use.on.get(key, key) for key in view.keys}
    asked = labels.select(
        *(F.col(f"`{key}`").alias(f"{_KEY}{key}") for key in spec.labels.keys),
        *(
            F.when(F.expr(available[column]) <= as_of, F.col(f"`{column}`")).alias(f"_on_{key}")
            for key, column in on.items()
        ),
        (as_of - F.expr(f"interval {use.lag.microseconds if use.lag else 0} microseconds")).alias(AS_OF),
    )
    same = reduce(and_, (F.col(f"_on_{key}") == F.col(f"`{key}`") for key in view.keys))
    visible = (F.col(EVENT_TIME) <= F.col(AS_OF)) & (F.col(AVAILABLE_AT) <= F.col(AS_OF))
    met = asked.join(events, same & visible)
    row = Window.partitionBy(*(F.col(f"{_KEY}{key}") for key in spec.labels.keys))
    used = {one.column for one in wanted}
    values = [F.col(f"`{column}`").desc_nulls_first() for column in view.columns if column in used]
    newest = F.row_number().over(row.orderBy(F.col(EVENT_TIME).desc(), F.col(AVAILABLE_AT).desc(), *values)) == 1
    if view.ttl is not None:
        newest &= F.col(EVENT_TIME) >= F.col(AS_OF) - F.expr(f"interval {view.ttl.microseconds} microseconds")
    kept = []
    if any(one.aggregate in ("last", "age") for one in wanted):
        kept.append(newest)
    longest = max((one.window_us for one in wanted), default=0)
    if longest:
        kept.append(F.col(EVENT_TIME) > F.col(AS_OF) - F.expr(f"interval {longest} microseconds"))
    return (
        met.withColumn("_kept", reduce(or_, kept, F.lit(False)))
        .where("_kept")
        .select(*(F.col(f"{_KEY}{key}").alias(key) for key in spec.labels.keys), name)
    )
