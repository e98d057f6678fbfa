"""Bringing a table back to a version, by a commit of its own: a step like any other, with intent, exactly once.

The intent names the versions; each commit carries the step ``restore.<table>`` and its epoch, by which an
execution that was killed between commit and publication is known to have committed. What was interrupted is
brought to its end by the next restore, or before the next run. What holds the table's changes beside it (its
history, what it keeps aside) goes back with it, to where it was when the version was published; its
quarantine stays, with what was decided since.

A version is looked up in the refs, never by counting: between two published versions there may be those of
upkeep, of another writer, or of rows that did not pass their audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import RunError, StoreError
from lakeloom.core.names import TableName, TableRef
from lakeloom.core.steps import Step
from lakeloom.flow.auditing import noted
from lakeloom.flow.back import bring_back
from lakeloom.flow.context import Context
from lakeloom.flow.explain import explained
from lakeloom.flow.runs import new_run_id
from lakeloom.project.graph import is_stream
from lakeloom.project.graph import steps as graph
from lakeloom.project.spec import Project
from lakeloom.store import refs
from lakeloom.store.between import Place, between
from lakeloom.store.commit import Mark
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent
from lakeloom.store.lock import locked
from lakeloom.store.log import unchanged
from lakeloom.store.tags import LAST_GOOD, resolve

VERB = "restore"
PREVIOUS = "previous"


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes
    ----------
    table : str
    to : int
        The version whose rows the table has again.
    version : int
        The version that has them now; `to` itself where nothing had to be done.
    tables : dict
        Table → its new version: the table and what lies beside it.
    """

    table: str
    to: int
    version: int
    tables: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``restore --json``."""
        return {"table": self.table, "to": self.to, "version": self.version, "tables": self.tables}


def restore_table(project: Project, table: str, point: str) -> Restored:
    """Bring a table back to a version, publish it, and let who reads the table follow at the next run.

    Parameters
    ----------
    point : str
        A version, an ISO time (what readers saw then), a tag, ``last-good``, or ``previous``: the published version
        with other rows before the last one.

    Raises
    ------
    StoreError
        LL-STORE-001, LL-STORE-002, LL-STORE-012, LL-STORE-016 for a table or version that is not there, LL-STORE-017
        for one that was never published.
    RunError
        LL-RUN-002 where a run holds the root, LL-RUN-010 where the table can't be restored as it is.
    """
    name = TableName.parse(table)
    context = Context.of(project, new_run_id(project.work))
    if not context.lake.exists(name):
        raise StoreError("LL-STORE-001", f"{name} does not exist", where=str(name), fix="see 'lakeloom tables'")
    with locked(project.root, project.settings.wait_s):
        settle(context)
        step = _writer(project, name)
        _require_still(context, step, name)
        version = _version(context, name, point)
        head = context.lake.version(name)
        targets = _beside(context, step, name, version) | {str(name): version}
        targets = {each: at for each, at in targets.items() if at is None or not _stands(context, each, at)}
        if not targets:
            noted(project.root)  # an earlier call may have been killed before it did
            return Restored(str(name), version, head, {})
        verb = f"{VERB}.{name}"
        latest = context.intents.latest(verb)
        reads = {each: at for each, at in targets.items() if at is not None}
        intent = Intent(
            verb, latest.intent.epoch + 1 if latest else 1, context.run, datetime.now(UTC).isoformat(),
            project.settings.seed, "", reads=reads, batch={"targets": targets, "to": version},
            ids={each: identity(context.lake, each) for each in reads},
        )  # fmt: skip
        context.intents.begin(intent)
        made = _carried_out(context, intent)
        noted(project.root)
    return Restored(str(name), version, made.get(str(name), head), made)


def settle(context: Context) -> list[str]:
    """Bring restores to their end that were interrupted; return the tables. The caller holds the root's lock."""
    done = []
    for verb in context.intents.steps():
        if verb.startswith(f"{VERB}."):
            latest = context.intents.latest(verb)
            if latest is not None and latest.crashed:
                _carried_out(context, latest.intent)
                done.append(verb.partition(".")[2])
    return done


def _carried_out(context: Context, intent: Intent) -> dict[str, int]:
    """Do what the intent says; where that fails with nothing committed, it is given up: no later run tries again."""
    try:
        return _perform(context, intent)
    except Exception as cause:
        error = explained(cause, intent.step)
        if not any(_committed(context, table, intent) for table in intent.batch["targets"]):
            context.intents.fail(intent, error.as_dict())
        raise error from cause


def _perform(context: Context, intent: Intent) -> dict[str, int]:
    """Commit what is not yet committed, publish and record it; return table → new version."""
    targets: dict[str, int | None] = intent.batch["targets"]
    made = {table: _committed(context, table, intent) for table in targets}
    for table in [table for table, version in made.items() if version is None]:
        mark = Mark(intent.step, intent.epoch, {"run": intent.run, "table": table} | context.provenance)
        made[table] = bring_back(context, TableName.parse(table), targets[table], mark)
    versions = {table: version for table, version in made.items() if version is not None}
    at = datetime.now(UTC)
    refs.publish(context.lake, versions, step=intent.step, epoch=intent.epoch, run=context.run, at=at)
    own = versions.get(intent.step.partition(".")[2])
    context.intents.finish(intent, {"versions": versions, "version": own, "restored": intent.batch["to"]})
    return versions


def _committed(context: Context, table: str, intent: Intent) -> int | None:
    """Return the version that this very restore has made of a table; None where it was killed before."""
    for limit in (3, 50, None):
        for entry in context.lake.history(table, limit):
            made = entry["manifest"]
            if (made.get("step"), made.get("epoch")) == (intent.step, intent.epoch):
                return int(entry["version"])
    return None


def _writer(project: Project, table: TableName) -> Step | None:
    if table.layer == "aside":
        table = TableName.parse(table.name.replace("__", ".", 1))
    return next((step for step in graph(project) if str(table) in step.writes and step.kind != "upkeep"), None)


def _require_still(context: Context, step: Step | None, table: TableName) -> None:
    """Refuse where what a step remembers or is about to write would not fit the table any more."""
    if step is None:
        return
    why, fix = "", f"lakeloom run {step.name}"
    latest = context.intents.latest(step.name)
    if latest is not None and latest.crashed:
        why = f"an execution of {step.name} was interrupted and is not finished"
    elif is_stream(step):
        why, fix = "it is a stream, and what it remembers of earlier rows does not go back", f"{fix} --full-refresh"
    elif str(table) != step.writes[0]:
        why, fix = f"it lies beside {step.writes[0]} and goes back with it", f"lakeloom restore {step.writes[0]}"
    if why:
        raise RunError("LL-RUN-010", f"{table} can't be restored: {why}", where=str(table), fix=fix)


def _version(context: Context, table: TableName, point: str) -> int:
    """Return the version that is meant: published, readable, and of this very table."""
    entries = [each for each in refs.entries(context.lake) if each["name"] == refs.GOOD and each["table"] == str(table)]
    if not entries:
        raise StoreError("LL-STORE-017", f"{table} was never published", where=str(table), fix=f"lakeloom run {table}")
    good = entries[-1]["version"]
    ref = TableRef.parse(f"{table}@{point}")
    if ref.time is not None:
        seen = [each["version"] for each in entries if each["at"] <= ref.time]
        if not seen:
            raise StoreError(
                "LL-STORE-002", f"{table} was not published yet at {ref.time.isoformat()}", where=str(table),
                fix=f"see 'lakeloom history {table}' for its versions and their times",
            )  # fmt: skip
        found = int(seen[-1])
    elif ref.tag == PREVIOUS:
        found = _previous(context, table, entries)
    else:
        found = good if ref.tag == LAST_GOOD else resolve(context.lake, ref, good)
    if found > context.lake.version(table):
        raise StoreError(
            "LL-STORE-002", f"{table} has no version {found}: it was dropped and made anew since", where=str(table),
            fix=f"see 'lakeloom history {table}'",
        )  # fmt: skip
    context.lake.require(table, found)
    published = sorted({int(each["version"]) for each in entries})
    if found not in published and not any(unchanged(context.lake, table, at, found) for at in published if at < found):
        shown = ", ".join(map(str, published[-12:]))
        raise StoreError(
            "LL-STORE-017",
            f"{table}@{found} was never published: its rows have not passed their audit, or are another writer's",
            where=str(table),
            fix=f"take one of {shown}",
        )
    return found


def _previous(context: Context, table: TableName, entries: list[dict[str, Any]]) -> int:
    good = int(entries[-1]["version"])
    for each in reversed(entries):
        if each["version"] < good and not unchanged(context.lake, table, each["version"], good):
            return int(each["version"])
    raise StoreError(
        "LL-STORE-002", f"{table} has no published version with other rows before version {good}", where=str(table),
        fix=f"see 'lakeloom history {table}'",
    )  # fmt: skip


def _beside(context: Context, step: Step | None, table: TableName, version: int) -> dict[str, int | None]:
    """Return where the tables with this one's changes were when `version` was published; None for not there yet."""
    beside = [str(table.aside), *(step.writes[1:] if step else ())]
    there = [name for name in beside if context.lake.exists(name)]
    if not there:
        return {}
    entries = [each for each in refs.entries(context.lake) if each["name"] == refs.GOOD]
    own = [each for each in entries if each["table"] == str(table) and each["version"] == version]
    if not own:  # of upkeep, by whose versions no row changed
        at = max(each["order"] for each in entries if each["table"] == str(table) and each["version"] < version)
    else:
        at = own[-1]["order"]
    mark = next((each["step"], each["epoch"]) for each in entries if each["order"] == at)
    last = max(each["order"] for each in entries if (each["step"], each["epoch"]) == mark)
    found: dict[str, int | None] = dict.fromkeys(there)
    for each in entries:
        if each["table"] in found and each["order"] <= last:
            found[each["table"]] = int(each["version"])
    return found


def _stands(context: Context, table: str, version: int) -> bool:
    """Return whether the newest version has the very rows already: of the same files, or of files put together."""
    lake, head = context.lake, context.lake.version(table)
    if head == version or unchanged(lake, table, version, head):
        return True
    then, now = between(Place(lake, TableName.parse(table), version), Place(lake, TableName.parse(table), head))
    return not then.own and not now.own and then.columns == now.columns
