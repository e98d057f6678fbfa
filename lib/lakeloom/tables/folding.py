"""Changes of a key taken one by one in their order, where an update depends on the row that stands.

``keep`` and ``update_when`` look at the row before: of several changes of one key, in one batch or in a build from
scratch, the newest alone does not say what comes out. So a key's changes are folded over its row, in the order in
which they landed: what comes out is the same however they were cut into executions.

Source: Spark's higher-order function ``aggregate``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.store.describe import quoted as text
from lakeloom.store.manner import DELETED, POSITION, later
from lakeloom.tables.history import of_keys

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructType

    from lakeloom.tables.writing import WriteSpec

# Beside a key's columns: its changes in order, and the row from which they go on.
_CHANGES, _START, _PLACE, _ROW, _MOVED = "_changes", "_start", "_place", "_row", "_moved"


def folds(write: WriteSpec) -> bool:
    """Return whether an update of the table depends on the row that stands."""
    return bool(write.keep or write.update_when)


def folded(rows: DataFrame, keys: Sequence[str], write: WriteSpec, live: DataFrame | None) -> DataFrame:
    """Return one row a key that is changed: as it comes out, with ``_deleted`` where `rows` have it.

    Parameters
    ----------
    rows : DataFrame
        Changes, several of a key among them.
    live : DataFrame or None
        The table's rows; None for an empty table.
    """
    from pyspark.sql import functions as F

    names = list(rows.columns)
    held = [*names, *([] if DELETED in names else [DELETED])]
    deleted = F.coalesce(F.col(DELETED), F.lit(False)) if DELETED in names else F.lit(False)
    row = F.struct(*(F.col(quoted(name)) for name in names if name != DELETED), deleted.alias(DELETED))
    row = row.withField(_MOVED, F.lit(True))
    changes = rows.select(*map(quoted, keys), _place(rows, write.order), row.alias(_ROW))
    by_key = changes.groupBy(*map(quoted, keys)).agg(F.collect_list(F.struct(_PLACE, _ROW)).alias(_CHANGES))
    kind = changes.schema[_ROW].dataType
    if live is None:
        started = by_key.withColumn(_START, F.lit(None).cast(kind))
    else:
        started = _standing(by_key, keys, of_keys(live, rows.select(*map(quoted, keys)).distinct(), keys), kind)
    in_order = (
        f"transform(array_sort({_CHANGES}, (a, b) -> CASE WHEN a.{_PLACE} < b.{_PLACE} THEN -1 "
        f"WHEN a.{_PLACE} > b.{_PLACE} THEN 1 ELSE 0 END), x -> x.{_ROW})"
    )
    out = F.expr(f"aggregate({in_order}, {_START}, (old, new) -> {_step(names, keys, write)})").alias(_ROW)
    made = started.select(out).where(f"{_ROW}.{_MOVED}")
    return made.select(*(F.col(f"{_ROW}.{quoted(name)}").alias(name) for name in held if name in names))


def _standing(by_key: DataFrame, keys: Sequence[str], live: DataFrame, kind: StructType) -> DataFrame:
    """Return the keys with the row that stands; NULL where none does."""
    from pyspark.sql import functions as F

    there, own = set(live.columns), {DELETED, _MOVED}
    before = [F.col(quoted(name)) if name in there else F.lit(None) for name in kind.names if name not in own]
    start = F.struct(*before, F.lit(False), F.lit(False)).cast(kind)
    stand = live.select(*(F.col(quoted(key)).alias(f"_key{at}") for at, key in enumerate(keys)), start.alias(_START))
    same = " AND ".join(f"{quoted(key)} <=> _key{at}" for at, key in enumerate(keys))
    return by_key.join(stand, F.expr(same), "left")


def _place(rows: DataFrame, order: str | None) -> Column:
    """Return where a change stands among its key's: by landing, then by sequence, and at one place always alike."""
    from pyspark.sql import functions as F

    landed = [F.col(f"{POSITION}.epoch")] if POSITION in rows.columns else []
    places = [F.col(quoted(name)) for name in dict.fromkeys((order, POSITION)) if name and name in rows.columns]
    values = [quoted(name) for name, kind in rows.dtypes if "map<" not in kind and "variant" not in kind]
    return F.struct(
        *(each.alias(f"p{at}") for at, each in enumerate([*landed, *places])), F.xxhash64(*values).alias("hash")
    ).alias(_PLACE)


def _step(names: Collection[str], keys: Sequence[str], write: WriteSpec) -> str:
    """Return SQL: what stands after a change ``new`` where ``old`` stood, which is NULL where nothing did."""
    order, kept = write.order, {name.lower() for name in write.keep} - {key.lower() for key in keys}
    late = f"NOT coalesce({later('new', 'old', order, positions=POSITION in names)}, FALSE)" if order else "FALSE"
    refused = f"NOT coalesce({write.update_when}, FALSE)" if write.update_when else "FALSE"
    fields = ", ".join(
        f"{text(name)}, {'old' if name.lower() in kept else 'new'}.{quoted(name)}" for name in names if name != DELETED
    )
    merged = f"named_struct({fields}, '{DELETED}', FALSE, '{_MOVED}', TRUE)"
    return (
        f"CASE WHEN old IS NULL THEN new WHEN {late} THEN old WHEN new.{DELETED} OR old.{DELETED} THEN new "
        f"WHEN {refused} THEN old ELSE {merged} END"
    )
