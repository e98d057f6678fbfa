"""The quarantine of one table, opened to be worked on: under the project's lock, after what was left half done.

What is decided is one commit of the quarantine table, of an application id of its own, so that it is
there whole or not at all, and is never taken for an execution of the table's step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakeloom.core.errors import FixError, RunError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.core.users import who
from lakeloom.flow.auditing import noted
from lakeloom.flow.choice import Choice
from lakeloom.flow.context import Context
from lakeloom.flow.explain import explained
from lakeloom.flow.replay import chosen_of, require_made
from lakeloom.flow.restoring import settle
from lakeloom.flow.runs import new_run_id
from lakeloom.flow.write import forget_abandoned
from lakeloom.project.about import about
from lakeloom.project.graph import steps
from lakeloom.project.spec import Project
from lakeloom.session.spark import step_session
from lakeloom.store import refs
from lakeloom.store.commit import Mark, commit
from lakeloom.store.intents import Intent
from lakeloom.store.lock import locked
from lakeloom.store.manner import Manner
from lakeloom.tables.quarantine import KEYS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame, SparkSession


@dataclass(frozen=True)
class Desk:
    """A table's quarantine at its newest version, and the session to work in.

    Attributes
    ----------
    last : Intent
        Of the last publication: its `reads` are the versions of the inputs that the table's step has consumed.
    version : int
        Of the quarantine table.
    """

    context: Context
    session: SparkSession
    step: Step
    last: Intent
    version: int

    @property
    def reads(self) -> dict[str, int]:
        """The versions of the inputs that the table's step has consumed."""
        return self.last.reads

    @property
    def side(self) -> TableName:
        """The quarantine table."""
        return TableName.parse(self.step.writes[0]).quarantine

    def now(self, why: str | None) -> dict[str, Column]:
        """Return who decides, why, when and in which run, as columns of an entry."""
        from pyspark.sql import functions as F

        at = datetime.now(UTC).isoformat()
        return {
            "why": F.lit(why).cast("string"),
            "who": F.lit(who()),
            "changed_at": F.lit(at).cast("timestamp"),
            "changed_run": F.lit(self.context.run),
        }

    def keep(self, entries: DataFrame, verb: str) -> None:
        """Write changed entries over those of the same (id, row), in one commit, and publish it."""
        lake, name = self.context.lake, f"{verb}.{self.step.name}"
        epoch = lake.epoch(self.side, name) + 1
        manifest = {"run": self.context.run, "table": str(self.side)} | self.context.provenance
        made = commit(
            self.session, lake, self.side, entries.dropDuplicates(list(KEYS)), Mark(name, epoch, manifest),
            Manner("merge", keys=KEYS), properties=about(self.context.project, str(self.side)),
        )  # fmt: skip
        at = datetime.now(UTC)
        refs.publish(lake, {str(self.side): made.version}, step=name, epoch=epoch, run=self.context.run, at=at)
        noted(lake.root)


@contextmanager
def opened(project: Project, table: str, *, writes: bool = True) -> Iterator[Desk]:
    """Open a table's quarantine.

    Parameters
    ----------
    writes : bool
        Whether something is to be decided; to look, no lock is taken and the last good version is read.

    Raises
    ------
    RunError
        LL-RUN-001 for a table that no step writes, LL-RUN-002 where a run holds the root.
    FixError
        LL-FIX-005 where an execution of the table was interrupted, or the table was never built.
    """
    step = step_of(project, table)
    context = Context.of(project, new_run_id(project.work))
    if not writes:
        with step_session(context.engine.spark()) as session:
            yield _desk(context, session, step)
        return
    with locked(project.root, project.settings.wait_s):
        settle(context)
        latest = context.intents.latest(step.name)
        if latest is not None and latest.crashed:
            raise FixError(
                "LL-FIX-005", f"an execution of {step.name} was interrupted and is not finished", where=step.name,
                fix=f"lakeloom run {step.name}",
            )  # fmt: skip
        if latest is not None and latest.facts is None:
            forget_abandoned(context, latest.intent, step.writes)
        with step_session(context.engine.spark()) as session:
            yield _desk(context, session, step, newest=True)


def look(
    project: Project, table: str, rule: str | None, where: str, limit: int | None, *, resolved: bool = False
) -> pa.Table:
    """Return the entries of a table whose rows meet a condition, newest first, as Arrow.

    Raises
    ------
    FixError
        LL-FIX-001, LL-FIX-002, LL-FIX-005.
    TableError
        LL-TABLE-003, LL-TABLE-007 for a condition that does not fit the row.
    """
    choice = Choice(rule=rule, where=where)
    choice.check(table)
    with opened(project, table, writes=False) as desk:
        _, chosen = chosen_of(
            desk.context, desk.session, desk.step, desk.reads, desk.version, choice, resolved=resolved
        )
        found = chosen.orderBy("at", ascending=False)
        try:
            return (found if limit is None else found.limit(limit)).toArrow()
        except Exception as cause:  # Spark's, of the condition: its text may quote a value
            raise explained(cause, table) from cause


def _desk(context: Context, session: SparkSession, step: Step, *, newest: bool = False) -> Desk:
    last = context.intents.published(step.name)
    require_made(context, step, last)
    assert last is not None
    side = TableName.parse(step.writes[0]).quarantine
    good = None if newest else refs.good(context.lake).get(str(side))
    return Desk(context, session, step, last.intent, context.lake.version(side) if good is None else good)


def step_of(project: Project, table: str) -> Step:
    """Return the step that lands or transforms into a table; raises LL-RUN-001."""
    found = {step.name: step for step in steps(project) if step.kind in ("land", "transform")}
    name = table.removeprefix("quarantine.").replace("__", ".", 1) if table.startswith("quarantine.") else table
    if name not in found:
        near = nearest(name, list(found))
        raise RunError("LL-RUN-001", f"no step writes {name}", fix=f"use '{near}'" if near else "see 'lakeloom tables'")
    return found[name]
