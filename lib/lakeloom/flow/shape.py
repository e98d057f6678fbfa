"""Rows that passed → the parts of a write, by the table's mode: what goes aside, into a history, into the table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName, quoted
from lakeloom.flow.context import Context
from lakeloom.flow.write import Part
from lakeloom.store import refs
from lakeloom.store.evolve import changes, evolve
from lakeloom.store.intents import Intent
from lakeloom.store.layout import Layout
from lakeloom.store.manner import DELETED, POSITION, Manner
from lakeloom.store.nested import aligned
from lakeloom.store.types import kind_of, nodes_of
from lakeloom.tables import snapshots
from lakeloom.tables.deletions import deletions, living
from lakeloom.tables.folding import folded, folds
from lakeloom.tables.history import CURRENT, FROM, SPAN, Chain, chain, difference, of_keys
from lakeloom.tables.newest import newest, repeated
from lakeloom.tables.replacing import need_order, newest_groups, not_overtaken, order_of
from lakeloom.tables.spec import TableSpec

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# In what is kept aside, a column says whether a row deletes; `_deleted` itself says what a merge is to do.
_GONE = "_gone"


@contextmanager
def shaped(
    context: Context, session: SparkSession, table: str, spec: TableSpec, intent: Intent, good: DataFrame
) -> Iterator[list[Part]]:
    """Give the parts of a table's write, the table itself last.

    Parameters
    ----------
    good : DataFrame
        The rows that passed, ``_deleted`` among their columns where rows may delete.
    """
    shape = _Shape(context, session, table, spec, intent)
    if not spec.write.by_key:
        mode = "overwrite" if intent.full else spec.write.mode
        rows = shape.replacing(good) if spec.write.mode == "replace" else good
        yield [Part(table, rows, shape.manner(mode), shape.layout)]
    elif spec.write.mode == "merge":
        yield shape.merged(good)
    else:
        made = shape.chained(good)
        made.frame.persist()
        try:
            yield shape.versioned(made)
        finally:
            made.frame.unpersist()


def rows_of(good: DataFrame, spec: TableSpec) -> DataFrame:
    """Return what an empty table would hold after these rows: for tests of a project."""
    write = spec.write
    if not write.by_key:
        order = order_of(write, spec.from_, good.columns) if write.mode == "replace" else None
        return newest_groups(good, write.by, order) if order else good
    rows = _changes(good, spec, None, "")
    if write.mode == "scd2":
        return chain(rows, spec.keys, str(write.order), track=write.track).versions
    rows = _one_a_key(rows, spec, None)
    return rows.where(f"NOT {DELETED}").drop(DELETED) if DELETED in rows.columns else rows


def _one_a_key(rows: DataFrame, spec: TableSpec, live: DataFrame | None) -> DataFrame:
    """Return what a key's changes come to; `live` are the rows that stand, where an update looks at them."""
    if folds(spec.write):
        return folded(rows, spec.keys, spec.write, live)
    return newest(rows, spec.keys, spec.write.order) if repeated(rows, spec.keys) else rows


def _changes(good: DataFrame, spec: TableSpec, live: DataFrame | None, where: str) -> DataFrame:
    by = spec.write.snapshot_by
    return snapshots.changes(good, spec.keys, by, live, where) if by else good


class _Shape:
    """The parts of one write."""

    def __init__(self, context: Context, session: SparkSession, table: str, spec: TableSpec, intent: Intent) -> None:
        self.context, self.session, self.spec, self.intent = context, session, spec, intent
        self.name, self.write = TableName.parse(table), spec.write
        self.aside = str(self.name.aside)
        self.history = spec.write.history or table
        self.layout = Layout(spec.write.partition_by, spec.write.cluster_by, spec.write.features, spec.refuses_null)

    def manner(self, mode: str, keys: tuple[str, ...] = (), sequence: str | None = None) -> Manner:
        """Return how rows go into a table of this contract."""
        spec = self.spec
        policies = {spec.evolve, *(column.evolve for column in spec.columns.values())}
        # From here on: what the contract now names, and the column for what it does not, come to the rows that stand.
        grows = "add" in policies or (spec.on_change == "forward" and bool(spec.columns))
        return Manner(
            mode,  # type: ignore[arg-type]  # one of the store's modes
            keys,
            sequence,
            by=self.write.by,
            evolve="widen" if "widen" in policies else "add" if grows else "none",
            renamed=self._renamed,
            dropped=spec.dropped,
        )

    def replacing(self, good: DataFrame) -> DataFrame:
        """Return the rows of the newest deliveries, among them and in the table."""
        by, name = self.write.by, str(self.name)
        order = need_order(self.write, self.spec.from_, good.columns, name)
        if order is None:
            return good
        rows, there = newest_groups(good, by, order), self._there(name)
        known = there is not None and {*by, self.write.sequence_by or POSITION} <= set(there.columns)
        return not_overtaken(rows, there, by, order) if known and there is not None else rows

    def merged(self, good: DataFrame) -> list[Part]:
        """One row a key; what was deleted is kept aside, so that a late row does not bring it back."""
        spec, order, parts = self.spec, self.write.order, list[Part]()
        name, looks = str(self.name), folds(self.write)
        live = self._there(name, good) if self.write.snapshot_by or looks else None
        good = aligned(good, nodes_of(live)) if live is not None else good
        rows = _changes(good, spec, live if self.write.snapshot_by else None, name)
        rows = _one_a_key(self._living(rows) if looks else rows, spec, live)
        how = self.manner("overwrite" if self.intent.full else "merge", spec.keys, order)
        if DELETED not in rows.columns:
            return [Part(name, rows, how, self.layout)]
        # Whole states come in order or not at all, and rows without an order are never late.
        if order and not self.write.snapshot_by:
            parts.append(Part(self.aside, deletions(rows, spec.keys, order), self._beside(how)))
            rows = rows if looks else self._living(rows)
        if self.intent.full:
            rows = rows.where(f"NOT {DELETED}").drop(DELETED)
        return [*parts, Part(name, rows, how, self.layout)]

    def _living(self, rows: DataFrame) -> DataFrame:
        """Return rows without what is not later than a deletion of its key that is kept aside."""
        order = self.write.order
        before = self._before() if DELETED in rows.columns and order and not self.write.snapshot_by else None
        return living(rows, before, self.spec.keys, str(order)) if before is not None else rows

    def chained(self, good: DataFrame) -> Chain:
        """Return the chains of the keys that the rows are about."""
        existing = self._there(self.history, good)
        good = aligned(good, nodes_of(existing)) if existing is not None else good
        live = existing.where(CURRENT).drop(*SPAN) if existing is not None else None
        rows = _changes(good, self.spec, live, str(self.name))
        aside = self._before()
        aside = aligned(aside.withColumnRenamed(_GONE, DELETED), nodes_of(good)) if aside is not None else None
        keys, order = self.spec.keys, str(self.write.order)
        return chain(rows, keys, order, existing=existing, aside=aside, track=self.write.track)

    def versioned(self, made: Chain) -> list[Part]:
        """All versions, what made none aside, and for type 4 the newest row of each key in a table of its own."""
        keys, order, full = self.spec.keys, made.sequence, self.intent.full
        versions, aside = made.versions, made.aside.withColumnRenamed(DELETED, _GONE)
        if full:
            whole = self.manner("overwrite")
            parts = [Part(self.aside, aside, self._beside(whole)), Part(self.history, versions, whole, self.layout)]
            current = made.current.where(f"NOT {DELETED}").drop(DELETED)
        else:
            mine = made.frame.select(*map(quoted, keys)).distinct()
            old, before = self._there(self.history), self._before()
            if old is not None:
                versions = difference(versions, of_keys(old, mine, keys), (*keys, FROM))
            if before is not None:
                before = aligned(before, nodes_of(aside))
                aside = difference(aside, of_keys(before, mine, keys), (*keys, order))
            parts = [
                Part(self.aside, aside, self._beside(self.manner("merge", (*keys, order)))),
                Part(self.history, versions, self.manner("merge", (*keys, FROM)), self.layout),
            ]
            current = made.current
        if self.write.mode == "scd4":
            parts.append(
                Part(str(self.name), current, self.manner("overwrite" if full else "merge", keys), self.layout)
            )
        return parts

    @staticmethod
    def _beside(how: Manner) -> Manner:
        """Return how rows go beside the table: as into it, in whatever columns they have."""
        return Manner(how.mode, how.keys, how.sequence, evolve="add", renamed=how.renamed, dropped=how.dropped)

    @property
    def _renamed(self) -> dict[str, str]:
        return {name: column.renamed_from for name, column in self.spec.columns.items() if column.renamed_from}

    def _there(self, table: str, rows: DataFrame | None = None) -> DataFrame | None:
        """Return a table's rows as they are now, under their new names; None where it is made anew.

        Rows that are laid beside them may have more inside their columns: so has the table then.
        """
        lake = self.context.lake
        if self.intent.full or not lake.exists(table):
            return None
        opened = lake.delta(table)
        given = nodes_of(rows) if rows is not None else {}
        nested, allowed = {name: node for name, node in given.items() if kind_of(node)}, self.manner("append").evolve
        needed = changes(
            nodes_of(opened), nested, allowed=allowed, renamed=self._renamed, dropped=self.spec.dropped, where=table
        )
        evolve(self.session, f"delta.`{lake.path(table)}`", opened, needed)
        # Pinned: a frame without a version would follow the table while it is written.
        return lake.frame(self.session, table, lake.version(table))

    def _before(self) -> DataFrame | None:
        """Return what was kept aside before this execution, also where its own commit there stands already."""
        version = refs.good(self.context.lake).get(self.aside)
        if self.intent.full or version is None:
            return None
        frame = self.context.lake.frame(self.session, self.aside, version)
        there = set(frame.columns)
        for new, old in self._renamed.items():
            frame = frame.withColumnRenamed(old, new) if old in there and new not in there else frame
        return frame.drop(*self.spec.dropped)
