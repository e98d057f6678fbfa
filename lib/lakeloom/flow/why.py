"""Why a row is there: its step done again for its key, at the versions that were read, from table to table to bronze.

Nothing is written. Each row is looked for in the execution that wrote it, and what it is said to be made of is
proved: the step runs once more over those rows alone, and must give the row that stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import LineageError
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.explain import explained
from lakeloom.flow.found import Row, collected, equal, place
from lakeloom.flow.given import standing, still
from lakeloom.flow.naming import NAME, PLACE, name_of, named, naming, told
from lakeloom.flow.remade import by_rows, by_step
from lakeloom.flow.scored import datasets, scores
from lakeloom.flow.writers import may_have_read, writers, writes_whole
from lakeloom.lineage.made import Kept
from lakeloom.lineage.reason import Execution, Reason, Why
from lakeloom.project.graph import steps
from lakeloom.session.spark import step_session
from lakeloom.store.identity import require_same
from lakeloom.store.intents import Intent
from lakeloom.tables.history import CURRENT, TO
from lakeloom.tables.tracing import WHY, UntraceableError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TIMES = ("_event_time", "_available_at", "_as_of", "_split")


def why(
    context: Context, table: str, version: int, key: Mapping[str, Any], *, limit: int, hidden: Collection[str]
) -> Why:
    """Return the rows of a key, and what they were made of.

    Parameters
    ----------
    key : mapping
        Column → value, as text or of the column's type; None for NULL.
    limit : int
        How many rows of the key, and of each input of a row, are told.
    hidden : collection of str
        Columns of which no value may be told.

    Raises
    ------
    LineageError
        LL-LINEAGE-001 where no row has the key, LL-LINEAGE-002 where a value is none of the column's type.
    StoreError
        LL-STORE-012 where the version was vacuumed, LL-STORE-005 where its files are gone otherwise.
    """
    with step_session(context.engine.spark()) as session:
        walk = Walk(context, session, limit, frozenset(hidden))
        try:
            found, more = walk.standing(table, version, key)
            walk.down(found)
        except Exception as cause:
            raise explained(cause, table) from cause
        shown = {name: None if value is None else str(value) for name, value in key.items() if name not in hidden}
        return Why(table, version, shown, tuple(found), more, tuple(sorted(walk.left)))


@dataclass
class Walk:
    """A way down from rows to bronze; each row is explained once."""

    context: Context
    session: SparkSession
    limit: int
    hidden: frozenset[str]
    left: set[str] = field(default_factory=set)
    raw: dict[int, Row] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    known: dict[tuple[str, int, str], list[Reason]] = field(default_factory=dict)
    barred: set[int] = field(default_factory=set)
    columns: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps: dict[str, Step] = {table: step for step in steps(self.context.project) for table in step.writes}
        self.kept = Kept(self.context.project.root)

    def standing(self, table: str, version: int, key: Mapping[str, Any]) -> tuple[list[Reason], int]:
        """Return the rows of a key, and how many more there are."""
        rows = standing(self.context, self.session, table, version, key)
        found = collected(named(self.context, table, rows).limit(self.limit + 1))
        if not found:
            raise LineageError(
                "LL-LINEAGE-001", f"no row of {table}@{version} has this {', '.join(key)}", where=table,
                fix="look at the table, at another version (--at), or in its quarantine",
            )  # fmt: skip
        more = rows.count() - self.limit if len(found) > self.limit else 0
        return self._reasons(table, version, found[: self.limit]), more

    def fetched(self, table: str, version: int, names: Collection[str]) -> dict[str, list[Reason]]:
        """Return the rows of a table that have these names."""
        from pyspark.sql import functions as F

        missing = [name for name in names if (table, version, name) not in self.known]
        if missing:
            frame = self._frame(table, version)
            found = collected(named(self.context, table, frame).where(F.col(WHY).isin(*missing)))
            self._reasons(table, version, found)
        return {name: self.known.get((table, version, name), []) for name in names}

    def down(self, reasons: list[Reason]) -> None:
        """Explain rows, and all that they come from."""
        todo, done = list(reasons), set[int]()
        while todo:
            table, version = todo[0].table, todo[0].version
            batch = [each for each in todo if (each.table, each.version) == (table, version)]
            todo = [each for each in todo if (each.table, each.version) != (table, version)]
            batch = [each for each in {id(each): each for each in batch}.values() if id(each) not in done]
            done |= {id(each) for each in batch}
            if batch:
                self._explain(table, version, batch)
                todo += [source for each in batch for source in each.sources]

    def attach(self, reason: Reason, reads: Mapping[str, int], names: Collection[str], total: int) -> None:
        """Put below a row the rows that it was made of, at most `limit` of each table."""
        by_version: dict[tuple[str, int], list[str]] = {}
        for name in names:
            table, version, plain = told(name)
            by_version.setdefault((table, reads[table] if version is None else version), []).append(plain)
        shown = dict.fromkeys(reads, 0)
        for (table, version), every in sorted(by_version.items()):
            mine = every[: self.limit - shown[table]]
            try:
                found = self.fetched(table, version, mine)
            except Exception as cause:
                error = explained(cause, table)
                reason.notes.append(f"{table}@{version} can't be read any more: {error.code} {error.message}")
                reason.reads[table] = version
                continue
            shown[table] += len(mine)
            reason.sources += [row for rows in found.values() for row in rows]
            gone = sum(not rows for rows in found.values())
            if gone:
                reason.notes.append(f"{gone} rows of {table} are not there any more at version {version}")
        reason.left_out = max(total - sum(shown.values()), 0)

    def same(self, step: Step, reason: Reason, made: Row, *, every: bool = False) -> bool:
        """Return whether a row that was made again is the one that stands, in `every` column or in the table's own."""
        write = getattr(step.spec, "write", None)
        free = {TO, CURRENT, *(write.keep if write else ())}
        there = self.raw[id(reason)]
        names = [name for name in there if name in made and (every or name[:1] != "_") and name not in free]
        if write and write.track and not every:
            names = [name for name in names if name in (*write.track, *step.spec.keys)]
        return all(equal(there[name], made[name]) for name in names)

    def _explain(self, table: str, version: int, reasons: list[Reason]) -> None:
        step = self.steps.get(table)
        if table.startswith("bronze."):
            for each in reasons:
                each.level = "landed"
                each.place = place(self.raw[id(each)])
                if (at := still(self.context, table, version)) != version:
                    each.notes.append(f"{table}@{version} was vacuumed: it is read at version {at}")
            return
        if step is None:
            for each in reasons:
                each.notes.append("no step of the project makes its rows")
            return
        for left in self._apart(reasons):
            self._by_writers(step, table, version, left)

    def _apart(self, reasons: list[Reason]) -> list[dict[str, Reason]]:
        """Return rows by their names; those that share one stand in different mappings."""
        found: list[dict[str, Reason]] = []
        for each in reasons:
            name = self.names[id(each)]
            home = next((held for held in found if name not in held), None)
            if home is None:
                found.append(home := {})
            home[name] = each
        return found

    def _by_writers(self, step: Step, table: str, version: int, left: dict[str, Reason]) -> None:
        for intent, made, key in writers(self.context, step, table, version):
            if not left:
                break
            mine = self._written_by(step, intent, made, left)
            for each in mine.values():
                if each.made is None:
                    each.made = made
            tried = set(mine)
            if mine:
                self._by(step, intent, made, key, mine)
            left = {name: each for name, each in left.items() if name not in tried or name in mine}
            if writes_whole(step):
                break
        self._by_today(step, table, version, left)
        for each in left.values():
            if id(each) in self.barred:
                each.reads = dict(each.made.reads) if each.made else {}
                each.notes.append("so what it was made of is not known")
                continue
            each.reproduced = False
            each.notes.append("no execution makes this row again" + self._because(each))

    def _by_today(self, step: Step, table: str, version: int, left: dict[str, Reason]) -> None:
        """Explain rows that other code has made by what today's makes the rows of their names of, though not alike."""
        for intent, made, key in writers(self.context, step, table, version):
            open_ones = {name: each for name, each in left.items() if id(each) not in self.barred}
            names = set(open_ones)
            if names and made.changed:
                self._by(step, intent, made, key, open_ones, alike=False)
            for name in names - set(open_ones):
                del left[name]
            if not left or writes_whole(step):
                break

    def _written_by(self, step: Step, intent: Intent, made: Execution, left: Mapping[str, Reason]) -> dict[str, Reason]:
        """Return the rows that an execution may have written: not what it did not read, nor what stood before it."""
        places = {name: self.raw[id(each)].get(PLACE) for name, each in left.items()}
        mine = {name: each for name, each in left.items() if may_have_read(self.context, step, intent, places[name])}
        # A stream is done again over all rows so far, a replay over all of a bronze row's: older rows come out as well.
        if not mine or made.version == 0 or not (intent.replay or getattr(step.spec, "stream", None)):
            return mine
        table, before = next(iter(mine.values())).table, dict[str, list[Row]]()
        try:
            found = collected(self.of(table, self._frame(table, made.version - 1), mine))
        except Exception:  # its files are gone: who wrote which row can't be told so well
            return mine
        for row in found:
            before.setdefault(row[NAME], []).append(row)
        return {
            name: each
            for name, each in mine.items()
            if not any(self.same(step, each, row, every=True) for row in before.get(name, ()))
        }

    def _by(
        self, step: Step, intent: Intent, made: Execution, key: str, left: dict[str, Reason], *, alike: bool = True
    ) -> None:
        """Explain the rows that one execution has written, and take them out of `left`."""
        wanted = dict(left)
        try:
            require_same(self.context.lake, intent.ids, f"epoch {intent.epoch} of {step.name}")
            if step.name.startswith("datasets."):
                datasets(self, step, intent, wanted)
            elif step.kind == "materialise" and not step.name.startswith("features."):
                scores(self, step, intent, wanted)
            else:
                by_rows(self, step, intent, wanted, alike=alike)
        except UntraceableError as cause:
            if alike:
                by_step(self, step, intent, wanted, key, str(cause))
        except Exception as cause:  # old versions and today's code may fit in no way at all
            error = explained(cause, step.name)
            for each in wanted.values() if alike else ():
                self.barred.add(id(each))
                each.notes.append(f"epoch {intent.epoch} can't be done again: {error.code} {error.message}")
        flows = self.kept.of(key)
        for name, each in wanted.items():
            if each.reproduced is None and not each.sources and not each.reads:
                continue
            each.made = made
            if flows is not None:
                each.expressions = {
                    column: flow.expression
                    for column, flow in flows.columns.items()
                    if flow.expression not in ("", column, "?") and column in self.raw[id(each)] and _told(column)
                }
            del left[name]

    def of(self, table: str, frame: DataFrame, wanted: Mapping[str, Reason]) -> DataFrame:
        """Return the rows that are wanted among those that a step makes, with their names."""
        from pyspark.sql import functions as F

        columns = naming(self.context.project, table, self.types(next(iter(wanted.values()))))
        return frame.withColumn(NAME, name_of(table, frame.columns, columns)).where(F.col(NAME).isin(*wanted))

    def types(self, reason: Reason) -> dict[str, str]:
        """Return the columns of a row's table at its version, with their Spark types."""
        place = (reason.table, reason.version)
        if place not in self.columns:
            self.columns[place] = dict(self._frame(*place).dtypes)
        return self.columns[place]

    def _frame(self, table: str, version: int) -> DataFrame:
        return standing(self.context, self.session, table, version)

    def _because(self, reason: Reason) -> str:
        if reason.made is not None and reason.made.changed:
            return ": the step's code or config is another now"
        return ""

    def _reasons(self, table: str, version: int, rows: list[Row]) -> list[Reason]:
        made = []
        for row in rows:
            name = row.pop(WHY)
            shown = {column: value for column, value in row.items() if self._shows(column)}
            keys = [column for column in naming(self.context.project, table, dict.fromkeys(row, "")) if column in shown]
            # Without declared keys the name is all of the row: there is nothing shorter to call it by.
            key = {column: shown[column] for column in keys if column != PLACE} if len(keys) < len(shown) else {}
            each = Reason(table, version, key, shown)
            self.raw[id(each)], self.names[id(each)] = row, name
            self.known.setdefault((table, version, name), []).append(each)
            made.append(each)
        return made

    def _shows(self, column: str) -> bool:
        if column in self.hidden:
            self.left.add(column)
            return False
        return _told(column)


def _told(column: str) -> bool:
    return not column.startswith("_") or column in _TIMES
