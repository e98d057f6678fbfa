"""History by key: changes in any order → versions with the time from and until which each held (SCD type 2).

A change is a row: its keys, its place in the sequence, its values, and whether it deletes. What a key's
changes come to depends on all of them and not on the order in which they arrive, so a batch is laid
together with what the table knows of its keys, and the chain of these keys is made again. Two kinds
of changes leave no version: deletions, and repetitions of what held already. They are kept aside,
whole: without them a change that comes late could not be put in its place.

Two changes of one key at one place in the sequence are one: the one that arrived later, by
``_position`` where the rows have it, else by the batch, else by the row's values.

Source: Kimball's slowly changing dimensions, types 2 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.store.manner import DELETED, POSITION

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"
SPAN = (FROM, TO, CURRENT)
_KIND, _ORIGIN, _BEFORE, _FIRST = "_kind", "_origin", "_before", "_first"


@dataclass(frozen=True)
class Chain:
    """The chains of the keys that a batch is about.

    Attributes
    ----------
    frame : DataFrame
        The changes' columns, ``valid_from``, ``valid_to``, ``is_current`` and a kind: a version, or aside.
    keys : tuple of str
    sequence : str
    """

    frame: DataFrame
    keys: tuple[str, ...]
    sequence: str

    @property
    def versions(self) -> DataFrame:
        """The versions: the values' columns and ``valid_from``, ``valid_to`` (NULL: it holds), ``is_current``."""
        return self.frame.where(f"{_KIND} = 'version'").drop(_KIND, DELETED)

    @property
    def aside(self) -> DataFrame:
        """The changes that made no version, with ``_deleted``."""
        return self.frame.where(f"{_KIND} = 'aside'").drop(_KIND, *SPAN)

    @property
    def current(self) -> DataFrame:
        """One row a key: the values that hold now, or ``_deleted``."""
        from pyspark.sql import Window
        from pyspark.sql import functions as F

        newest = Window.partitionBy(*_columns(self.keys)).orderBy(
            F.col(CURRENT).desc(), F.col(quoted(self.sequence)).desc()
        )
        ranked = self.frame.withColumn(_FIRST, F.row_number().over(newest)).where(f"{_FIRST} = 1")
        return ranked.withColumn(DELETED, ~F.col(CURRENT)).drop(_FIRST, _KIND, *SPAN)


def chain(
    batch: DataFrame,
    keys: Sequence[str],
    sequence: str,
    *,
    existing: DataFrame | None = None,
    aside: DataFrame | None = None,
    track: Sequence[str] = (),
) -> Chain:
    """Return the chains of the batch's keys.

    Parameters
    ----------
    batch : DataFrame
        Changes: keys, `sequence`, values; ``_deleted boolean`` where rows may delete.
    existing : DataFrame, optional
        The table's versions, of any keys.
    aside : DataFrame, optional
        The changes that were kept aside, of any keys, with ``_deleted``.
    track : sequence of str
        Columns of which a change makes a version; all but the platform's own where none is named. The others
        keep, in each version, what its first change said.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    batch = batch if DELETED in batch.columns else batch.withColumn(DELETED, F.lit(False))
    every = batch.withColumn(_ORIGIN, F.lit(1))
    mine = batch.select(*_columns(keys)).distinct()
    for known, deleted in ((existing, F.lit(False)), (aside, F.col(DELETED))):
        if known is not None:
            rows = of_keys(known, mine, keys).drop(*SPAN)
            rows = rows.withColumn(DELETED, deleted).withColumn(_ORIGIN, F.lit(0))
            every = every.unionByName(rows, allowMissingColumns=True)
    place = F.col(quoted(sequence))
    values = [name for name in every.columns if name not in (*keys, sequence, _ORIGIN, DELETED)]
    told = list(track) or [name for name in values if not name.startswith("_")]
    arrival = [F.col(POSITION).desc_nulls_last()] if POSITION in values else []
    arrival += [F.col(_ORIGIN).desc(), *_by_values(every, [*values, DELETED])]
    key = Window.partitionBy(*_columns(keys))
    once = Window.partitionBy(*_columns(keys), place).orderBy(*arrival)
    changes = every.withColumn(_FIRST, F.row_number().over(once)).where(f"{_FIRST} = 1").drop(_FIRST, _ORIGIN)
    state = F.struct(F.col(DELETED).alias("gone"), comparable(every, told).alias("row"))
    changes = changes.withColumn(_BEFORE, F.lag(state).over(key.orderBy(place)))
    same = F.col(_BEFORE).isNotNull() & ~F.col(DELETED) & F.col(_BEFORE).eqNullSafe(state)
    kind = F.when(F.col(DELETED) | same, F.lit("aside")).otherwise(F.lit("version"))
    # A repetition ends nothing: only the next version or deletion does.
    ends = F.when(~same, place)
    following = key.orderBy(place).rowsBetween(1, Window.unboundedFollowing)
    made = (
        changes.withColumn(_KIND, kind)
        .withColumn(FROM, place)
        .withColumn(TO, F.first(ends, ignorenulls=True).over(following))
        .withColumn(CURRENT, (F.col(_KIND) == "version") & F.col(TO).isNull())
        .drop(_BEFORE)
    )
    return Chain(made, tuple(keys), sequence)


def of_keys(frame: DataFrame, mine: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Return the rows of `frame` whose keys are among `mine`'s; NULL is a key like any other."""
    same = [frame[quoted(key)].eqNullSafe(mine[quoted(key)]) for key in keys]
    return frame.join(mine, same, "left_semi")


def difference(new: DataFrame, old: DataFrame, on: Sequence[str]) -> DataFrame:
    """Return what turns `old` into `new`: rows to write, and rows to delete, which say so in ``_deleted``.

    Parameters
    ----------
    new, old : DataFrame
        Rows with unique `on`; the columns are `new`'s. What is equal in both is left out.
    """
    from pyspark.sql import functions as F

    names = new.columns
    shared = [name for name in names if name in old.columns]
    left = new.select(
        F.struct(*_columns(names)).alias("_new"), *[F.col(quoted(n)).alias(f"_k{i}") for i, n in enumerate(on)]
    )
    right = old.select(
        F.struct(*_columns(shared)).alias("_old"), *[F.col(quoted(n)).alias(f"_k{i}") for i, n in enumerate(on)]
    )
    same = [left[f"_k{i}"].eqNullSafe(right[f"_k{i}"]) for i in range(len(on))]
    both = left.join(right, same, "full_outer").select("_new", "_old")
    gone = F.col("_new").isNull()
    chosen = [
        F.when(gone, F.col(f"_old.{quoted(name)}") if name in shared else F.lit(None))
        .otherwise(F.col(f"_new.{quoted(name)}"))
        .alias(name)
        for name in names
    ]
    added = [F.col(f"_new.{quoted(name)}").isNotNull() for name in names if name not in shared]
    equal = comparable(new, shared, "_new").eqNullSafe(comparable(new, shared, "_old"))
    changed = gone | F.col("_old").isNull() | ~equal
    for column in added:
        changed = changed | column
    return both.where(changed).select(*chosen, gone.alias(DELETED))


def comparable(frame: DataFrame, names: Sequence[str], row: str = "") -> Column:
    """Return the values of some columns as one that Spark can compare: a map counts as its sorted entries.

    Parameters
    ----------
    frame : DataFrame
        Has the columns' types.
    row : str
        The struct that holds them; the row itself where empty.
    """
    from pyspark.sql import functions as F

    types = dict(frame.dtypes)
    parts = []
    for index, name in enumerate(names):
        value = F.col(f"{row}.{quoted(name)}" if row else quoted(name))
        if types[name].startswith("map<"):
            value = F.array_sort(F.map_entries(value))
        elif "map<" in types[name] or "variant" in types[name]:
            value = F.to_json(F.struct(value.alias("value")))
        parts.append(value.alias(f"c{index}"))
    return F.struct(*parts) if parts else F.struct(F.lit(1).alias("c0"))


def _by_values(frame: DataFrame, names: Sequence[str]) -> list[Column]:
    from pyspark.sql import functions as F

    plain = [name for name, kind in frame.dtypes if name in names and "map<" not in kind and "variant" not in kind]
    return [F.xxhash64(*_columns(plain)).desc()] if plain else []


def _columns(names: Sequence[str]) -> list[Column]:
    from pyspark.sql import functions as F

    return [F.col(quoted(name)) for name in names]
