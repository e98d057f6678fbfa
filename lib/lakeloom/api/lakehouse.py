"""`open_lakehouse`: a project and its tables as one small object. The command line and the jobs call nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.api.planning import Planning
from lakeloom.config.load import read
from lakeloom.core.errors import ConfigError, RunError
from lakeloom.objects.path import beside

if TYPE_CHECKING:
    from datetime import datetime

    from lakeloom.api.dictionary import Written
    from lakeloom.api.doctor import Diagnosis
    from lakeloom.api.exporting import Export
    from lakeloom.api.suggestion import Suggestion
    from lakeloom.api.suites import Suite
    from lakeloom.core.steps import Basis, Window
    from lakeloom.flow.asking import Answer
    from lakeloom.flow.backfill import BackfillResult
    from lakeloom.flow.freshness import Freshness
    from lakeloom.flow.result import Listener, RunResult
    from lakeloom.flow.watch import Clock, Watched
    from lakeloom.notify.delivery import Delivery


def open_lakehouse(
    conf: str | Path | None = None, env: str | None = None, *, sample: str | None = None, branch: str | None = None
) -> Lakehouse:
    """Open a project.

    Parameters
    ----------
    conf : str or Path, optional
        The project's folder, the ``conf`` folder above it, or the name of a project under ``conf``;
        ``conf`` by default.
    env : str, optional
        The environment: an overlay ``conf/<env>.yml``; ``local`` by default.
    sample : str, optional
        A share such as ``1%`` or ``0.01``: the project on so much of its data, with a storage root of its
        own. By default ``LAKELOOM_SAMPLE``, then the config's ``sample:``, then all of the data.
    branch : str, optional
        A branch that exists; `Lakehouse.branch` makes one. By default ``LAKELOOM_BRANCH``, then the config's
        ``branch:``, then main.

    Raises
    ------
    ConfigError
        LL-CONF-007 where the folder, the project or the environment does not exist, LL-CONF-004 for a
        malformed share.
    BranchError
        LL-BRANCH-001 where there is no such branch, LL-BRANCH-002 for a malformed name.

    Examples
    --------
    >>> import lakeloom
    >>> lake = lakeloom.open("conf/flights")                     # doctest: +SKIP
    >>> lake.table("silver.flights", version=7).pandas()         # doctest: +SKIP
    >>> lake.run("gold.*")                                       # doctest: +SKIP
    """
    if conf is not None and not Path(conf).is_dir() and (Path("conf") / conf).is_dir():
        conf = Path("conf") / conf
    raw = read(conf, env)
    sample = sample or os.environ.get("LAKELOOM_SAMPLE")
    if sample:
        from lakeloom.project.sampling import asked

        share = asked(sample, "the sample")
        raw = replace(raw, document=replace(raw.document, data=raw.document.data | {"sample": share}))
    lake = Lakehouse(raw)
    branch = branch or os.environ.get("LAKELOOM_BRANCH")
    return lake.on_branch(branch) if branch else lake


class Lakehouse(Planning):
    """A project in one environment: what `Records` reads, and what checks, plans and runs it."""

    def run(
        self,
        *select: str,
        full_refresh: bool = False,
        window: Window | None = None,
        kinds: Sequence[str] = (),
        listener: Listener | None = None,
        allow_breaking: bool = False,
        answers: Mapping[str, Answer] | None = None,
        resting: Mapping[str, str] | None = None,
    ) -> RunResult:
        """Run the selected steps; those with nothing to do are skipped.

        Parameters
        ----------
        select : str
            Names, globs, ``+name`` (with all upstream), ``name+`` (with all downstream); all without any.
        full_refresh : bool
            Build the selected tables anew.
        window : Window, optional
            Land only files last changed in it; read rows that arrived in it again.
        kinds : sequence of str
            Of the selection, run the steps of these kinds only (land, transform, materialise, tune, train, upkeep).
        allow_breaking : bool
            Let columns, types and keys of published tables go that their readers lean on. A branch or a sample, which
            nobody else reads, never asks for it.
        answers, resting : mapping, optional
            Of a watch: what sources have said a moment ago, and steps that are left out with why.

        Raises
        ------
        ConfigError
            All findings of `check`; nothing was started.
        ContractError
            LL-TABLE-011 where a published table would break; nothing was started. What only its rows tell fails the
            step before it writes.
        RunError
            LL-RUN-001 for a selection without a step, LL-RUN-002 where another run holds the root.
        """
        from lakeloom.flow.runner import run
        from lakeloom.project.graph import steps
        from lakeloom.project.select import of_kinds

        self._ready()
        patterns = of_kinds(steps(self.project), select, kinds) if kinds else select
        return run(
            self.project, patterns, full_refresh=full_refresh, window=window, listener=listener,
            allow_breaking=allow_breaking, answers=answers, resting=resting,
        )  # fmt: skip

    def backfill(
        self,
        *select: str,
        start: datetime,
        end: datetime,
        by: Basis = "ingestion",
        slice: str | None = None,  # noqa: A002 - the option's name
        listener: Listener | None = None,
        allow_breaking: bool = False,
    ) -> BackfillResult:
        """Do a span of time again in slices, each a run of its own; the same call goes on where it was interrupted.

        Parameters
        ----------
        select : str
            As for `run`.
        start, end : datetime
            The span ``[start, end)``, aware.
        by : {'ingestion', 'event'}
            When files and rows arrived, or when a row's event happened by its table's ``event_time``.
        slice : str, optional
            The length of a slice, such as ``1 day``; the whole span without it.
        allow_breaking : bool
            As for `run`.

        Raises
        ------
        ConfigError
            All findings of `check`; LL-CONF-004 for a malformed length.
        ContractError
            LL-TABLE-011 as `run`.
        RunError
            LL-RUN-001, LL-RUN-002, LL-RUN-007 for a table that can't be backfilled, LL-RUN-008 for an empty span.
        """
        from lakeloom.core.durations import parse
        from lakeloom.flow import contracts
        from lakeloom.flow.backfill import backfill

        self._ready()
        if not allow_breaking:
            contracts.keep(self.project, select)

        length = parse(slice, "--slice") if slice else None
        return backfill(self.project, select, start, end, by=by, length=length, listener=listener)

    def retry(self, *, listener: Listener | None = None, allow_breaking: bool = False) -> RunResult | BackfillResult:
        """Run what the last run did not bring to an end, with everything downstream of it, in the same window of time.

        Where the last run was a slice of a backfill, the backfill goes on.

        Parameters
        ----------
        allow_breaking : bool
            As for `run`.

        Raises
        ------
        ContractError
            LL-TABLE-011 as `run`.
        RunError
            LL-RUN-003 where there is no run, or nothing of it is left to do.
        """
        from lakeloom.api.runs import interrupted, unfinished, window
        from lakeloom.flow.backfill import resume
        from lakeloom.flow.runner import run

        backfill = interrupted(self.root)
        if backfill is not None:
            return resume(self.project, backfill, listener=listener)
        known = {step.name for step in self._steps()}
        left = [name for name in unfinished(self.root) if name in known]
        if not left:
            raise RunError(
                "LL-RUN-003", "the last run brought all of its steps to an end", fix="'lakeloom run' does what changed"
            )
        return run(
            self.project, [f"{name}+" for name in left], window=window(self.root), listener=listener,
            allow_breaking=allow_breaking,
        )  # fmt: skip

    def tell_late(self, found: Sequence[Freshness]) -> list[Delivery]:
        """Tell the channels under ``notify:`` which of the tables are late; return what became of each message."""
        from lakeloom.flow.tell import tell_of_late

        return tell_of_late(self.project, found)

    def export(
        self, kind: str, output: str | Path | None = None, *, manager: str = "kubernetes", deploy: str = "cluster"
    ) -> Export:
        """Return the graph in another scheduler's words; nothing is written until `Export.write` is called.

        Parameters
        ----------
        kind : str
            databricks (a bundle), airflow (a DAG) or submit (spark-submit commands).
        output : str or Path, optional
            The file; ``databricks.yml`` and ``dags/<project>.py`` under the project's home by default.
        manager, deploy : str
            For ``submit``: kubernetes or yarn, client or cluster.

        Raises
        ------
        ConfigError
            All findings of `check`; LL-CONF-018 for a section that is missing, LL-CONF-020 for an unknown kind.
        ExportError
            LL-EXPORT-002 where the other scheduler has no words for the schedule.
        SetupError
            LL-SETUP-003 for a bundle without the extra ``databricks``.
        """
        from lakeloom.api.exporting import export

        return export(self.project, kind, output, manager=manager, deploy=deploy)

    def suite(self, table: str) -> Suite:
        """Return a table's rules as a suite of great-expectations.

        Raises
        ------
        ConfigError
            All findings of `check`; LL-CONF-010 where the table is not declared.
        """
        from lakeloom.api.suites import write_suite

        return write_suite(self.project, table)

    def dictionary(self, output: str | Path | None = None) -> Written:
        """Write the data dictionary as HTML pages: an index with a search, and a page for each table.

        Parameters
        ----------
        output : str or Path, optional
            The folder; ``dictionary`` under the storage root by default.

        Raises
        ------
        ExportError
            LL-EXPORT-003 where the folder holds something else, LL-EXPORT-004 where it can't be written.
        """
        from datetime import UTC, datetime

        from lakeloom.api.dictionary import collect, write

        found = collect(self.lake, self._read, self.lineage(), self._good, datetime.now(UTC))
        return write(found, Path(output) if output else beside(self.root) / "dictionary")

    def suggest(self, table: str, version: int | str | None = None) -> Suggestion:
        """Profile a table by Spark, and propose a contract and rules with their evidence.

        Parameters
        ----------
        table, version : as for `table`.

        Returns
        -------
        Suggestion
            ``proposals``, ``entry`` and its YAML ``text``; no value of a personal column is in any of them.

        Raises
        ------
        TableError
            LL-TABLE-001, LL-TABLE-002 for a malformed name or version.
        StoreError
            LL-STORE-001 where there is no such table, LL-STORE-002 no such version.
        """
        from lakeloom.api.suggestion import Known, suggest

        return suggest(self, Known(self._read, self._good), table, version)

    def watch(
        self,
        *select: str,
        every: str | None = None,
        times: int | None = None,
        clock: Clock | None = None,
        listener: Listener | None = None,
        waiting: Callable[[datetime], None] | None = None,
    ) -> Iterator[Watched]:
        """Run at each due time of the config's ``schedule:``, one run at a time, and yield what came of each.

        Steps that say ``when:`` are run, with what is made of them, as soon as their event has happened.

        Parameters
        ----------
        select : str
            As for `run`.
        every : str, optional
            An interval such as ``10m`` in place of the schedule; the first run starts at once then.
        times : int, optional
            End after so many runs.
        clock : Clock, optional
            Another clock than the machine's; `WallClock.stop` of one ends the watch from any thread.
        waiting : callable, optional
            Is told the next due time before each wait.

        Raises
        ------
        ConfigError
            LL-CONF-018 without a schedule or any ``when:``, or with a paused one; LL-CONF-004 for a malformed interval.
        """
        from lakeloom.api.watching import watched

        return watched(self, select, every, times, clock, listener, waiting)

    def register(self) -> list[str]:
        """Register every table in the project's catalog and return those that were not there before.

        A run registers what it publishes; this is for tables from before the catalog was configured.

        Raises
        ------
        ConfigError
            LL-CONF-005 where the project has no catalog.
        StoreError
            LL-STORE-007 where the catalog can't be reached, LL-STORE-008 where a name is another table's.
        """
        from lakeloom.session.spark import step_session
        from lakeloom.tables.catalog import register

        if self._catalog.kind == "none":
            raise ConfigError("LL-CONF-005", "the project has no catalog", fix="write 'catalog: hive' into base.yml")
        with step_session(self.spark()) as session:
            return register(session, self.lake, self._catalog, [str(name) for name in self.lake.tables()])

    def doctor(self, *, fix: bool = False) -> list[Diagnosis]:
        """Look whether this machine has what the project needs; `fix` fetches Delta's jars first."""
        from lakeloom.api.doctor import diagnose

        return diagnose(self.root, fix=fix)
