"""Upkeep as a step: what is due for a table and those beside it, and the doing of it.

``plan`` and ``run`` read the same decision from the table's log. No row changes, so nothing that
reads the table runs again; a killed upkeep is simply done again, and finds less to do. A table whose
newest version is not published is left alone: its rows have not passed their audit, or are a foreign
writer's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName, quoted
from lakeloom.core.steps import Facts, Step
from lakeloom.flow.back import bring_back
from lakeloom.flow.context import Context
from lakeloom.flow.vacuum import Swept, vacuum
from lakeloom.project.graph import steps as graph
from lakeloom.project.plan import Decision
from lakeloom.project.upkeep import META
from lakeloom.session.spark import step_session
from lakeloom.store import meta, refs
from lakeloom.store.commit import Mark
from lakeloom.store.intents import Intent
from lakeloom.store.log import LiveFile, live, unchanged
from lakeloom.store.optimize import SMALL, STATISTICS, Rewrite, rewrite
from lakeloom.store.pins import Pin, pins
from lakeloom.tables.upkeep import MEASURED, Due, State, UpkeepSpec, due, statistics_of

_POSITION = "_position.epoch"


@dataclass(frozen=True)
class Kept:
    """What upkeep did for one table, or would do.

    Attributes
    ----------
    done : tuple of str
        What was due, with the reason.
    skipped : str
        Why the table was left alone; empty where it was not.
    bytes_rewritten : int
        Of the files that were written anew.
    vacuum : Swept, optional
        What was deleted, and what was kept for whom.
    ordered_ms : int
        When its newest file was put in order, in milliseconds since 1970.
    """

    table: str
    version: int
    done: tuple[str, ...] = ()
    skipped: str = ""
    files_before: int = 0
    files_after: int = 0
    bytes_rewritten: int = 0
    vacuum: Swept | None = None
    ordered_ms: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``upkeep --json``."""
        entry = asdict(self)
        del entry["ordered_ms"], entry["vacuum"]
        return entry | (self.vacuum or Swept()).as_dict()


def look(context: Context, step: Step, now: datetime, *, asked: bool = False, moving: bool = False) -> Decision:
    """Return whether a table's upkeep is due, and why.

    Parameters
    ----------
    asked : bool
        Somebody asks for it now, however long ago it was done.
    moving : bool
        Whether the table's own step is about to run.
    """
    record = context.intents.published(step.name)
    if record is not None and not asked:
        spec: UpkeepSpec = step.spec
        next_at = datetime.fromisoformat(record.intent.clock) + timedelta(seconds=spec.every.seconds)
        if now < next_at:
            return Decision("skip", (f"not due before {next_at:%Y-%m-%d %H:%M} UTC",))
    work = [_Work(context, step, table, asked=asked) for table in members(context, step)]
    own = [f"{each.due[0].reason}" for each in work[:1] if each.due]
    others = [f"{each.table}: {each.due[0].reason}" for each in work[1:] if each.due]
    if own or others:
        return Decision("run", (*own, *others))
    if moving:
        return Decision("depends", ("its table is written first",))
    return Decision("skip", tuple(each.skipped for each in work[:1] if each.skipped) or ("nothing to do",))


def outlook(context: Context, step: Step, now: datetime) -> list[Kept]:
    """Return what upkeep would do if it were asked for now; nothing is started or written."""
    found = []
    for table in members(context, step):
        work = _Work(context, step, table, asked=True)
        swept = work.vacuum(_pins(context), now, None, None)
        told = tuple(f"{each.action}: {each.reason}" for each in work.due)
        found.append(Kept(str(table), work.head, told, work.skipped, len(work.files), len(work.files), 0, swept))
    return found


def upkeep(context: Context, step: Step, intent: Intent) -> Facts:
    """Do what is due for a table and those beside it; return the facts."""
    asked, now = bool(intent.batch.get("asked")), datetime.fromisoformat(intent.clock)
    needed = _pins(context)
    done = [_keep(context, _Work(context, step, table, asked=asked), intent, needed, now)
            for table in members(context, step)]  # fmt: skip
    good = refs.good(context.lake)
    moved = {each.table: each.version for each in done if not each.skipped and each.version != good.get(each.table)}
    return {
        "versions": {} if step.name == META else moved,
        "version": None if step.name == META else done[0].version if done else None,
        "bytes": sum(each.bytes_rewritten for each in done),
        "upkeep": [each.as_dict() for each in done],
        "ordered_ms": {each.table: each.ordered_ms for each in done},
    }


def members(context: Context, step: Step) -> list[TableName]:
    """Return the tables that a step of upkeep keeps and that exist: its own first."""
    if step.name == META:
        return [table for table in context.lake.tables() if table.layer == "meta"]
    own = [TableName.parse(read.table) for read in step.reads]
    beside = [table for name in own for table in (name.quarantine, name.aside)]
    return [table for table in (*own, *beside) if context.lake.exists(table)]


def _pins(context: Context) -> list[Pin]:
    return pins(context.lake, context.intents, {step.name: step for step in graph(context.project)})


class _Work:
    """What is due for one table."""

    def __init__(self, context: Context, step: Step, table: TableName, *, asked: bool) -> None:
        self.context, self.table, self.lake = context, table, context.lake
        self.spec: UpkeepSpec = step.spec
        self.own = bool(step.reads) and step.reads[0].table == str(table)
        self.declared = context.project.tables.get(step.reads[0].table) if step.reads else None
        self.head = self.lake.version(table)
        self.good = self.head if table.layer == "meta" else refs.good(self.lake).get(str(table))
        self.skipped = self._unsettled()
        record = context.intents.published(step.name)
        facts = (record.facts or {}) if record else {}
        self.before = next((each for each in facts.get("upkeep", ()) if each["table"] == str(table)), None)
        self.ordered_ms = int(facts.get("ordered_ms", {}).get(str(table), 0))
        self.files: list[LiveFile] = [] if self.skipped else live(self.lake, table, self.head)
        self.statistics = None if self.skipped else self._statistics()
        self.due: list[Due] = [] if self.skipped else due(
            self.spec, self._state(), ordered=bool(self.zorder or self._clustered), statistics=self.statistics,
            now=asked,
        )  # fmt: skip

    @property
    def zorder(self) -> tuple[str, ...]:
        """The columns that the table's rows are laid out by; those beside it have none."""
        return self.spec.zorder if self.own else ()

    @property
    def _clustered(self) -> bool:
        history = self.declared.write.history if self.declared else None
        return bool(self.declared and self.declared.write.cluster_by) and (self.own or str(self.table) == history)

    def vacuum(self, needed: Sequence[Pin], now: datetime, engine: Any, by: Mapping[str, str] | None) -> Swept | None:
        """Delete what no version needs that is kept, where that is due; only tell where nobody does it."""
        if self.spec.vacuum is None or not any(each.action == "vacuum" for each in self.due):
            return None
        mine = [pin for pin in needed if pin.table == str(self.table)]
        return vacuum(self.lake, self.table, self.spec.vacuum.keep, mine, now, engine, self.good, by)

    def _unsettled(self) -> str:
        if self.good is None:
            return f"{self.table} was never published"
        if self.good != self.head and not unchanged(self.lake, self.table, self.good, self.head):
            return f"{self.table} has version {self.head}, which is not published"
        return ""

    def _state(self) -> State:
        limit = self.spec.compact.target * SMALL
        small = Counter(file.partition for file in self.files if file.size < limit)
        before = self.before
        return State(
            files=len(self.files),
            bytes=sum(file.size for file in self.files),
            mergeable=sum(count for count in small.values() if count > 1),
            rows=sum(file.rows for file in self.files),
            deleted=sum(file.deleted for file in self.files),
            fresh_bytes=sum(file.size for file in self.files if file.modified_ms > self.ordered_ms),
            statistics=self._configured.get(STATISTICS, ""),
            superseded=self.head > 0 and (before is None or before["version"] != self.head or before["left"] != 0),
        )

    @property
    def _configured(self) -> dict[str, Any]:
        return self.lake.delta(self.table).metadata().configuration

    def _statistics(self) -> str | None:
        """Return the property that names the columns of statistics; None where nobody asks for any."""
        if not self.own or not self.spec.statistics:
            return None
        kinds = self.lake.columns(self.table)
        apart = set(self.lake.delta(self.table).metadata().partition_columns)
        table = self.declared
        order = [name for name in (table.write.order, table.event_time) if name] if table else []
        named = statistics_of(self.spec, table.keys if table else (), table.write.cluster_by if table else (), order)
        found = [quoted(name) for name in named if name not in apart and kinds.get(name, "").startswith(MEASURED)]
        return ",".join([*found, *([_POSITION] if "_position" in kinds else [])])


def _keep(context: Context, work: _Work, intent: Intent, needed: Sequence[Pin], now: datetime) -> Kept:
    """Do what is due for one table."""
    told = tuple(f"{each.action}: {each.reason}" for each in work.due)
    actions = {each.action for each in work.due}
    version, skipped = work.head, work.skipped
    unpublished = not skipped and work.head != work.good
    if unpublished and work.statistics is not None:
        # Of an upkeep that was killed, after it had set the property and before it had computed them perhaps.
        actions.add("statistics")
    if actions - {"vacuum"} or unpublished:
        version, skipped = _rewritten(context, work, intent, actions)
    engine, by = None if work.table.layer == "meta" else context.engine, {"step": intent.step, "run": context.run}
    swept = work.vacuum(needed, now, engine, by) if not skipped else None
    after = live(context.lake, work.table, version) if version != work.head else work.files
    there = {file.path for file in work.files}
    rewritten = sum(file.size for file in after if file.path not in there)
    newest = max((file.modified_ms for file in after), default=0) if "order" in actions else work.ordered_ms
    return Kept(str(work.table), version, told, skipped, len(work.files), len(after), rewritten, swept, newest)


def _rewritten(context: Context, work: _Work, intent: Intent, actions: set[Any]) -> tuple[int, str]:
    """Write files anew and see that no row changed; return the version that may be published, or why none may."""
    table, spec = work.table, work.spec
    if table.layer == "meta":
        return meta.compact(context.lake, table, spec.compact.target), ""
    assert work.good is not None  # else the table was left alone
    mark = context.mark(intent, str(table))
    mark = Mark(mark.step, mark.epoch, mark.manifest | {"upkeep": sorted(actions), "reads": {str(table): work.good}})
    what = Rewrite(
        spec.compact.target,
        compact="compact" in actions or "order" in actions,
        purge="purge" in actions,
        zorder=work.zorder if "order" in actions else (),
        statistics=work.statistics if "statistics" in actions else None,
    )
    with step_session(context.engine.spark()) as session:
        version = rewrite(session, context.lake, table, mark, what)
        if version == work.good:
            return version, ""
        if not unchanged(context.lake, table, work.good, version):
            return work.good, "another writer has committed meanwhile"
        before, after = (context.lake.frame(session, table, at).count() for at in (work.good, version))
        if before != after:
            bring_back(context, table, work.good, mark)
            raise StoreError(
                "LL-STORE-013",
                f"{table} had {before:,} rows, and {after:,} after its files were written anew",
                where=str(table),
                fix="look at 'lakeloom history' for who else writes it, and report it",
            )
    return version, ""
