"""The point-in-time join: to every label what was known about its entities as of its time.

Labels' (keys, as_of) pairs and the views' events are hashed by key into buckets and met in one
cogroup for all views that share their keys; the arithmetic is `lakeloom.features.asof`. The answers
come back by an equality join. Spark's own inequality join is never used: it pairs every label with
every earlier event of its key before it drops all but one.

A bucket must fit into a worker's memory: the events and the label times of its entities. More
buckets help until one entity alone is too large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakeloom.core.durations import Duration
from lakeloom.core.errors import FeatureError
from lakeloom.features.buckets import VIEW, Answer, Ask, look_up
from lakeloom.features.spec import FeatureView, Output
from lakeloom.features.views import AVAILABLE_AT, EVENT_TIME

_BUCKET = "_bucket"
_WHOLE = ("tinyint", "smallint", "int", "bigint")


@dataclass(frozen=True)
class Use:
    """One use of a view in a join.

    Attributes
    ----------
    view : FeatureView
    events : DataFrame
        What `lakeloom.features.views.materialise` made of it.
    prefix : str
        Columns are named ``<prefix>__<suffix>``.
    on : mapping
        The view's key to the label table's column; a key left out has the same name there.
    lag : Duration, optional
        Look this much before the as-of time.
    outputs : tuple of Output
        What is wanted of it; everything where it is empty.
    """

    view: FeatureView
    events: DataFrame
    prefix: str
    on: Mapping[str, str] = field(default_factory=dict)
    lag: Duration | None = None
    outputs: tuple[Output, ...] = ()

    @property
    def keys(self) -> dict[str, str]:
        """The label table's column → the view's key, sorted by the former."""
        return dict(sorted((self.on.get(key, key), key) for key in self.view.keys))

    @property
    def wanted(self) -> tuple[Output, ...]:
        """The outputs to give."""
        return self.outputs or self.view.outputs()


def join(labels: DataFrame, uses: Sequence[Use], as_of: str, buckets: int | None = None) -> DataFrame:
    """Add the features of `uses` to `labels`.

    Parameters
    ----------
    labels : DataFrame
        Has the columns of every use's keys and `as_of`. No row is lost or doubled; the order is
        not kept.
    uses : sequence of Use
    as_of : str
        The name of a timestamp column. Events count if they were visible by then, inclusive.
    buckets : int, optional
        Into how many buckets entities are hashed; four times ``spark.sql.shuffle.partitions`` by
        default.

    Returns
    -------
    DataFrame
        `labels` and ``<prefix>__<suffix>`` for each output: ``last`` in its column's type,
        ``count`` bigint (0 over nothing), others double (NULL over nothing). Where a key or
        the as-of time is NULL, or the entity unknown, counts are 0 and the others NULL.

    Raises
    ------
    FeatureError
        LL-FEATURE-002 where a key is not in the labels, its types differ, or two outputs share a name.
    """
    _check(labels, uses)
    given = str(labels.sparkSession.conf.get("spark.sql.shuffle.partitions"))
    partitions = int(given) if given.isdigit() else 4  # 'auto' on some servers
    groups: dict[tuple[str, ...], list[Use]] = {}
    for use in uses:
        groups.setdefault(tuple(use.keys), []).append(use)
    joined = labels
    for keys, members in groups.items():
        found = _meet(labels, members, keys, as_of, partitions, buckets or 4 * partitions)
        back = {name: f"_join_{number}" for number, name in enumerate([*keys, as_of])}
        joined = joined.join(
            found.withColumnsRenamed(back), [F.col(f"`{name}`") == F.col(to) for name, to in back.items()], "left"
        ).drop(*back.values())
    counts = [f"{use.prefix}__{one.suffix}" for use in uses for one in use.wanted if one.aggregate == "count"]
    return joined.fillna(0, subset=counts) if counts else joined


def _meet(
    labels: DataFrame, uses: Sequence[Use], keys: tuple[str, ...], as_of: str, partitions: int, buckets: int
) -> DataFrame:
    """Return the distinct (keys, as_of) pairs of `labels` with the answers of `uses`."""
    kinds = {name: labels.schema[name].dataType for name in keys}
    columns = [F.col(f"`{name}`") for name in (*keys, as_of)]
    pairs = labels.select(*columns).dropna()
    asks, answers = [], []
    events: DataFrame | None = None
    for number, use in enumerate(uses):
        own = {name: f"_{number}_{name}" for name in use.view.columns}
        kept = sorted({one.column for one in use.wanted if one.column}, key=list(own).index)
        rows = use.events.select(
            *(F.col(f"`{key}`").try_cast(kinds[name]).alias(name) for name, key in use.keys.items()),
            F.lit(number).alias(VIEW),
            EVENT_TIME,
            AVAILABLE_AT,
            *(F.col(f"`{name}`").alias(own[name]) for name in kept),
        ).dropna(subset=list(keys))
        events = rows if events is None else events.unionByName(rows, allowMissingColumns=True)
        given = tuple(
            Answer(f"{use.prefix}__{one.suffix}", own.get(one.column, ""), one.aggregate, one.window_us)
            for one in use.wanted
        )
        lag = use.lag.microseconds if use.lag else 0
        ttl = use.view.ttl.microseconds if use.view.ttl else None
        asks.append(Ask(number, tuple(own[name] for name in kept), given, ttl, lag))
        for answer, one in zip(given, use.wanted, strict=True):
            kind: T.DataType = T.LongType() if one.aggregate == "count" else T.DoubleType()
            if one.aggregate == "last":
                kind = use.events.schema[one.column].dataType
            answers.append(T.StructField(answer.name, kind))
    assert events is not None
    bucket = F.pmod(F.xxhash64(*(F.col(f"`{name}`") for name in keys)), F.lit(buckets)).cast("int").alias(_BUCKET)
    # A partition count asked for by number is not merged by adaptive execution, which counts bytes
    # and not the work that Python does with them.
    left = pairs.select("*", bucket).repartition(partitions, _BUCKET).groupBy(_BUCKET)
    right = events.select("*", bucket).repartition(partitions, _BUCKET).groupBy(_BUCKET)
    schema = T.StructType([*(labels.schema[name] for name in (*keys, as_of)), *answers])
    return left.cogroup(right).applyInArrow(_worker(keys, as_of, tuple(asks)), schema)


def _worker(keys: tuple[str, ...], as_of: str, asks: tuple[Ask, ...]) -> Callable[[Any, Any], Any]:
    def answer(queries: Any, events: Any) -> Any:
        return look_up(queries, events, keys, as_of, asks)

    return answer


def _check(labels: DataFrame, uses: Sequence[Use]) -> None:
    names = set(labels.columns)
    for use in uses:
        if set(use.on) - set(use.view.keys) or len(use.keys) < len(use.view.keys):
            raise FeatureError(
                "LL-FEATURE-002",
                f"on must give each of the view's keys ({', '.join(use.view.keys)}) a column of its own",
                where=use.prefix,
                fix="write on: {key of the view: column of the labels}",
            )
        for name, key in use.keys.items():
            if name not in labels.columns:
                raise FeatureError(
                    "LL-FEATURE-002",
                    f"key '{name}' is not among the labels' columns ({', '.join(labels.columns)})",
                    where=use.prefix,
                    fix=f"say which column holds it: on: {{{key}: column}}",
                )
            mine = labels.schema[name].dataType.simpleString()
            theirs = use.events.schema[key].dataType.simpleString()
            if mine != theirs and not {mine, theirs} <= set(_WHOLE):
                raise FeatureError(
                    "LL-FEATURE-002",
                    f"key '{key}' is {theirs} in the view and '{name}' is {mine} in the labels",
                    where=use.prefix,
                    fix="give both tables the same type",
                )
        for one in use.wanted:
            name = f"{use.prefix}__{one.suffix}"
            if name in names:
                raise FeatureError(
                    "LL-FEATURE-002",
                    f"two features would be named '{name}'",
                    where=use.prefix,
                    fix="give one use of the view a prefix",
                )
            names.add(name)
