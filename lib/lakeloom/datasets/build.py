"""Building a dataset: labels, what was known as of their time, splits and a stable row number.

Nothing of the label table gets into a feature unless it has an availability time and that time is
not after ``as_of``: a bare feature without one is refused (LL-FEATURE-001), and so is a column that
joins a view, since it says something of its row as well. ``derive`` sees features and such columns
only, never the label.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakeloom.core.errors import FeatureError
from lakeloom.core.kinds import nearest
from lakeloom.datasets.columns import AS_OF, LABEL, ROW, SPLIT, feature_names, known_columns, outputs
from lakeloom.datasets.rows import BY, chance, number, split_name, split_time
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.datasets.splits import NONE
from lakeloom.features.expressions import instant, numeric, types, value
from lakeloom.features.point_in_time import Use, join
from lakeloom.features.spec import FeatureView

# While a dataset is built, keys and known columns carry these, so that no name hides another.
_KEY, _KNOWN = "_key_", "_known_"


def build(
    labels: DataFrame,
    spec: DatasetSpec,
    views: Mapping[str, tuple[FeatureView, DataFrame]],
    available: Mapping[str, str],
    name: str = "",
) -> DataFrame:
    """Build a dataset.

    Parameters
    ----------
    labels : DataFrame
        The label table at a pinned version.
    spec : DatasetSpec
    views : mapping
        View name to the view and its events (`lakeloom.features.views.materialise`, or its table).
    available : mapping
        Column of the label table to SQL for the instant from which on its value was known. A value
        is NULL where that instant is NULL or after the as-of time.
    name : str
        The dataset's name, for errors.

    Returns
    -------
    DataFrame
        The key columns, ``_row`` (bigint, 0 … n-1), ``_as_of`` (timestamp), ``_split`` (train, valid,
        test or none), ``label`` (double), and the features as double, bigint, string or boolean, in
        the order of `lakeloom.datasets.columns.feature_names`. All rows of the label table are kept
        (of the sample, where one is declared); without a label a row is in no split. A column that is
        key and feature stands among the keys, once.

    Raises
    ------
    FeatureError
        LL-FEATURE-001 for a column without an availability time, LL-FEATURE-002 for names and types
        that do not fit, LL-FEATURE-003 where an as-of time is NULL, LL-FEATURE-004 where keys are NULL
        or not unique.
    """
    where = f"datasets.{name}" if name else f"dataset on {spec.labels.source}"
    declared = {view: pair[0] for view, pair in views.items()}
    names = feature_names(spec, declared, f"{where}.features")
    known = _known(labels, spec, declared, available, where)
    base = _base(labels, spec, known, where)
    both = [key for key in spec.labels.keys if key in spec.columns]
    unknown = (F.col(f"{_KEY}{key}").isNotNull() & F.col(f"{_KNOWN}{key}").isNull() for key in both)
    masked = reduce(or_, unknown, F.lit(False))
    numbered = number(base, [f"{_KEY}{key}" for key in spec.labels.keys], masked, where)
    uses = []
    for use in spec.features:
        if use.view is not None:
            view, events = views[use.view]
            on = {key: f"{_KNOWN}{use.on.get(key, key)}" for key in view.keys}
            uses.append(Use(view, events, use.name, on, use.lag, outputs(use, declared)))
    joined = _derive(join(numbered, uses, AS_OF), spec, known, where)
    keys = [F.col(f"{_KEY}{key}").alias(key) for key in spec.labels.keys]
    features = [_feature(joined, one, spec, where) for one in names if one not in both]
    return joined.select(*keys, ROW, AS_OF, SPLIT, LABEL, *features)


def _known(
    labels: DataFrame,
    spec: DatasetSpec,
    views: Mapping[str, FeatureView],
    available: Mapping[str, str],
    where: str,
) -> dict[str, Column]:
    """Return the columns of the label table as they were known as of the time, NULL where they were not."""
    for column, use in known_columns(spec, views).items():
        if column not in labels.columns:
            near = nearest(column, labels.columns)
            raise FeatureError(
                "LL-FEATURE-002",
                f"'{column}' ({use}) is not in {spec.labels.source} ({', '.join(labels.columns)})",
                where=f"{where}.features",
                fix=f"use '{near}'" if near else "use one of them",
            )
        if column not in available:
            raise FeatureError(
                "LL-FEATURE-001",
                f"'{column}' is {use}, but {spec.labels.source} does not say when it is known",
                where=f"{where}.features",
                fix=f"add available_at to the column '{column}' of {spec.labels.source}",
            )
    as_of = instant(labels, "as_of", spec.as_of, where)
    at = f"{spec.labels.source}.available_at"
    return {
        column: F.when(instant(labels, column, sql, at) <= as_of, F.col(f"`{column}`"))
        for column, sql in available.items()
        if column in labels.columns
    }


def _base(labels: DataFrame, spec: DatasetSpec, known: Mapping[str, Column], where: str) -> DataFrame:
    """Return keys, known columns, as-of time, split's time, split and label of the rows that are kept."""
    keys = spec.labels.keys
    types(labels, {key: f"`{key}`" for key in keys}, f"{where}.labels.keys")
    kind = types(labels, {"value": spec.labels.value}, f"{where}.labels")["value"]
    if not numeric(kind):
        raise FeatureError(
            "LL-FEATURE-002",
            f"the label '{spec.labels.value}' is {kind.simpleString()}; it must be a number or a boolean",
            where=f"{where}.labels.value",
            fix="compare or cast it",
        )
    label = F.expr(spec.labels.value).cast("double")
    if spec.labels.where is not None:
        types(labels, {"where": spec.labels.where}, f"{where}.labels")
        label = F.when(F.expr(spec.labels.where), label)
    as_of = F.expr(spec.as_of)
    by = split_time(labels, spec.split, as_of, where)
    rows = labels
    if spec.sample is not None:
        rows = rows.where(chance(spec.sample.seed, keys) < F.lit(spec.sample.share))
    return rows.select(
        *(F.col(f"`{key}`").alias(f"{_KEY}{key}") for key in keys),
        *(column.alias(f"{_KNOWN}{one}") for one, column in known.items()),
        as_of.alias(AS_OF),
        by.alias(BY),
        F.when(label.isNull(), F.lit(NONE)).otherwise(split_name(spec.split, by, keys)).alias(SPLIT),
        label.alias(LABEL),
    )


def _derive(frame: DataFrame, spec: DatasetSpec, known: Mapping[str, Column], where: str) -> DataFrame:
    """Give known columns their own names and add the derived ones, which see nothing else of the row."""
    frame = frame.withColumnsRenamed({f"{_KNOWN}{name}": name for name in known if name not in (LABEL, BY)})
    hidden = [name for name in frame.columns if name.startswith(_KEY)] + [ROW, SPLIT, LABEL, BY]
    for name, sql in spec.derive.items():
        # Analysed over what it may see; evaluated over the whole, where those names mean the same.
        types(frame.drop(*hidden), {name: sql}, f"{where}.derive")
        frame = frame.withColumn(name, F.expr(sql))
    return frame


def _feature(frame: DataFrame, name: str, spec: DatasetSpec, where: str) -> Column:
    part = "derive" if name in spec.derive else "features"
    kind: T.DataType = frame.schema[name].dataType
    return value(F.col(f"`{name}`"), kind, name, f"{where}.{part}").alias(name)
