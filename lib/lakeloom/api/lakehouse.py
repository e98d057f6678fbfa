"""`open_lakehouse`: a project and its tables as one small object. The command line and the jobs call nothing else.

What only reads tables needs no sound config: it takes the storage root from the settings alone, so
that `tables` or `sql` answer while somebody is in the middle of editing ``tables.yml``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.config.load import Raw, read
from lakeloom.core.errors import ConfigError, RunError, TableError
from lakeloom.core.extras import coded
from lakeloom.core.kinds import nearest
from lakeloom.core.names import TableRef
from lakeloom.store.lake import Lake

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa
    from pyspark.sql import SparkSession

    from lakeloom.api.cost import By, Cost
    from lakeloom.api.dataset import Dataset
    from lakeloom.api.doctor import Diagnosis
    from lakeloom.api.exporting import Export
    from lakeloom.api.metrics import Metrics
    from lakeloom.api.model import Model
    from lakeloom.api.quarantine import Quarantined, RuleCount
    from lakeloom.api.query import Engine
    from lakeloom.api.table import Table, TableInfo
    from lakeloom.core.findings import Finding
    from lakeloom.core.steps import Basis, Step, Window
    from lakeloom.flow.backfill import BackfillResult
    from lakeloom.flow.cases import CaseResult
    from lakeloom.flow.freshness import Freshness
    from lakeloom.flow.planning import PlannedStep
    from lakeloom.flow.result import Listener, RunResult
    from lakeloom.flow.watch import Clock, Watched
    from lakeloom.lineage.graph import Lineage
    from lakeloom.notify.delivery import Delivery
    from lakeloom.project.spec import Project
    from lakeloom.tables.catalog import CatalogSpec


def open_lakehouse(conf: str | Path | None = None, env: str | None = None, *, sample: str | None = None) -> Lakehouse:
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

    Raises
    ------
    ConfigError
        LL-CONF-007 where the folder, the project or the environment does not exist, LL-CONF-004 for a
        malformed share.

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
    return Lakehouse(raw)


class Lakehouse:
    """A project in one environment and the tables under its storage root.

    Parameters
    ----------
    raw : Raw
        The merged, marked config; it is checked by what needs it checked.
    """

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        root = str(raw.document.data.get("root") or ".lakeloom")
        self.root = (raw.home / (os.environ.get("LAKELOOM_HOME") or root)).resolve()
        self.sample = _share(raw)
        if self.sample:
            from lakeloom.project.sampling import storage_root

            self.root = storage_root(raw.home, root, self.sample)
        self.lake = Lake(self.root)

    def __repr__(self) -> str:
        return f"Lakehouse({self.raw.project!r}, env={self.raw.env!r}, root={str(self.root)!r})"

    @property
    def name(self) -> str:
        """The project's name."""
        return self.raw.project

    @cached_property
    def project(self) -> Project:
        """The typed project; raises FindingsError with every mistake of the config."""
        from lakeloom.project.check import checked

        return checked(self.raw, self._schemas())

    @property
    def tracking(self) -> str:
        """The address of the MLflow store: the config's, or the SQLite file under the storage root."""
        server = "" if self.sample else str(self.raw.document.data.get("mlflow") or "")
        return server or f"sqlite:///{self.root}/mlflow.db"

    def check(self) -> list[Finding]:
        """Return every mistake in the config, and what of it this machine can't run; no Spark is started."""
        from lakeloom.project.cases import read as read_cases
        from lakeloom.project.check import check

        project, findings = check(self.raw, self._schemas())
        return sorted([*findings, *read_cases(self.raw, project)[1]])

    def test(self, *select: str) -> list[CaseResult]:
        """Run the project's tests: rows given to a table's SQL or function, and what must come out.

        They stand in ``conf/<project>/tests/*.yml`` and touch no table of the storage root.

        Parameters
        ----------
        select : str
            Tables, names of tests, or globs of either; all without any.

        Returns
        -------
        list of CaseResult
            ``passed``, and as text the difference of a test that failed.

        Raises
        ------
        ConfigError
            All findings of `check`, those of the tests among them; LL-TEST-002 where no test is selected.
        """
        from lakeloom.core.findings import FindingsError
        from lakeloom.flow.cases import run_cases
        from lakeloom.project.cases import chosen
        from lakeloom.project.cases import read as read_cases

        cases, findings = read_cases(self.raw, self.project)
        if findings:
            raise FindingsError(findings)
        return list(run_cases(self.project, chosen(cases, select), self.spark()))

    def plan(self, *select: str, full_refresh: bool = False) -> list[PlannedStep]:
        """Return what `run` with the same arguments would do and why; nothing is started or written.

        Raises
        ------
        ConfigError
            All findings of `check`.
        RunError
            LL-RUN-001 for a pattern that selects nothing.
        """
        from lakeloom.flow.planning import plan

        return plan(self.project, select, full_refresh=full_refresh)

    def run(
        self,
        *select: str,
        full_refresh: bool = False,
        window: Window | None = None,
        kinds: Sequence[str] = (),
        listener: Listener | None = None,
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
            Of the selection, run the steps of these kinds only (land, transform, materialise, tune, train).

        Raises
        ------
        ConfigError
            All findings of `check`; nothing was started.
        RunError
            LL-RUN-001 for a selection without a step, LL-RUN-002 where another run holds the root.
        """
        from lakeloom.flow.runner import run
        from lakeloom.project.graph import steps
        from lakeloom.project.select import of_kinds

        patterns = of_kinds(steps(self.project), select, kinds) if kinds else select
        return run(self.project, patterns, full_refresh=full_refresh, window=window, listener=listener)

    def backfill(
        self,
        *select: str,
        start: datetime,
        end: datetime,
        by: Basis = "ingestion",
        slice: str | None = None,  # noqa: A002 - the option's name
        listener: Listener | None = None,
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

        Raises
        ------
        ConfigError
            All findings of `check`; LL-CONF-004 for a malformed length.
        RunError
            LL-RUN-001, LL-RUN-002, LL-RUN-007 for a table that can't be backfilled, LL-RUN-008 for an empty span.
        """
        from lakeloom.core.durations import parse
        from lakeloom.flow.backfill import backfill

        length = parse(slice, "--slice") if slice else None
        return backfill(self.project, select, start, end, by=by, length=length, listener=listener)

    def retry(self, *, listener: Listener | None = None) -> RunResult | BackfillResult:
        """Run what the last run did not bring to an end, with everything downstream of it, in the same window of time.

        Where the last run was a slice of a backfill, the backfill goes on.

        Raises
        ------
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
        return run(self.project, [f"{name}+" for name in left], window=window(self.root), listener=listener)

    def tables(self) -> list[TableInfo]:
        """Return every table at its last good version, layer by layer."""
        from lakeloom.api.table import TableInfo

        found = []
        for name in self.lake.tables():
            version = self._good.get(str(name), self.lake.version(name))
            size = self.lake.size(name, version)
            found.append(TableInfo(str(name), name.layer, version, size.rows, size.bytes, self.lake.path(name)))
        return found

    def table(self, name: str, version: int | str | None = None) -> Table:
        """Return a table at a version, by default the last good one.

        Parameters
        ----------
        name : str
            ``layer.name``, or ``layer.name@version`` with a number, an ISO time in UTC or a tag.
        version : int or str, optional
            The same as behind the ``@``.

        Raises
        ------
        TableError
            LL-TABLE-001, LL-TABLE-002 for a malformed name or version.
        StoreError
            LL-STORE-001 where there is no such table, LL-STORE-002 no such version.
        """
        from lakeloom.api.table import Table, unknown

        if version is not None and "@" in name:
            raise TableError("LL-TABLE-002", f"{name} names a version already", fix="give one of the two")
        ref = TableRef.parse(name if version is None else f"{name}@{version}")
        if not self.lake.exists(ref.table):
            raise unknown(self.lake, ref.table)
        return Table(ref.table, self.lake.resolve(ref, self._good.get(str(ref.table))), self.lake, self.spark)

    def dataset(self, name: str, version: int | None = None) -> Dataset:
        """Return a dataset at a version, by default the last good one.

        Parameters
        ----------
        name : str
            As declared under ``datasets:``.

        Raises
        ------
        ConfigError
            LL-CONF-010 for a dataset that is not declared.
        StoreError
            LL-STORE-001 where it has not been built, LL-STORE-002 no such version.
        """
        from lakeloom.api.dataset import Dataset
        from lakeloom.datasets.columns import feature_names

        declared = self.project.datasets
        if name not in declared:
            near = nearest(name, list(declared))
            raise ConfigError(
                "LL-CONF-010",
                f"dataset '{name}' is not declared; there are {', '.join(declared) or 'none'}",
                fix=f"use '{near}'" if near else "declare it under datasets:",
            )
        return Dataset(
            name, feature_names(declared[name], self.project.features), self.table(f"datasets.{name}", version)
        )

    @coded()
    def model(self, name: str, version: int | str | None = None) -> Model:
        """Return a trained model: by its version in the registry, by an alias, or the one that scores.

        Raises
        ------
        TrainError
            LL-TRAIN-003 where there is no such model or version.
        SetupError
            LL-SETUP-003 for an alias without the extra ``train``.
        """
        from lakeloom.api.model import find

        return find(self.root, self.tracking, name, version, self.dataset)

    def sql(self, text: str, engine: Engine = "auto", limit: int | None = None) -> pa.Table:
        """Return the rows of one SELECT; see `lakeloom.api.query.query`."""
        from lakeloom.api.query import query

        return query(self.lake, self._good, text, engine=engine, limit=limit, spark=self.spark)

    def lineage(self, name: str | None = None, *, up: bool = True, down: bool = True) -> Lineage:
        """Return what comes from what: of everything, or around one table, model or source.

        Raises
        ------
        TableError
            LL-STORE-001 for a name that is not in the graph.
        """
        from lakeloom.lineage.graph import build

        graph = build(self._steps())
        if name is None:
            return graph
        if up and down:
            return graph.around(name)
        return graph.up(name) if up else graph.down(name)

    def freshness(self) -> list[Freshness]:
        """Return how old the data of each table and source is that declares ``freshness``; no Spark is started."""
        from datetime import UTC, datetime

        from lakeloom.flow.freshness import freshness

        return freshness(self.project, self.lake, self._good, datetime.now(UTC))

    def tell_late(self, found: Sequence[Freshness]) -> list[Delivery]:
        """Tell the channels under ``notify:`` which of the tables are late; return what became of each message."""
        from lakeloom.flow.tell import tell_of_late

        return tell_of_late(self.project, found)

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs, newest first; a training or tuning is an entry of its own."""
        from lakeloom.flow.journal import runs

        return runs(self.lake)

    def metrics(self, run: str | None = None) -> Metrics:
        """Return a run's figures, by default the newest run's; raises LL-RUN-003 for an unknown run."""
        from lakeloom.api.metrics import of_run

        return of_run(self.root, run, self.name, self.raw.env)

    def cost(self, *prices: str | Path, by: By = "step", since: datetime | None = None, run: str | None = None) -> Cost:
        """Return what steps, tables or models took, with price files laid over it.

        Parameters
        ----------
        prices : str or Path
            Price files; the others are compared with the first.
        by : {'step', 'table', 'model'}
        since, run : optional
            Count only steps that ended since then, or in that run.

        Raises
        ------
        ConfigError
            LL-CONF-004 for an unknown `by`, LL-CONF-019 for a price file that is wrong.
        RunError
            LL-RUN-003 for an unknown run.
        """
        from lakeloom.api.cost import cost
        from lakeloom.api.prices import read as read_prices
        from lakeloom.api.runs import events
        from lakeloom.flow.journal import steps

        if run is not None:
            events(self.root, run)
        files = [read_prices(Path(file)) for file in prices]
        return cost(self.root, steps(self.lake), self._steps(), files, by, since=since, run=run)

    def logs(self, run: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a run, by default the newest; raises LL-RUN-003 for an unknown run."""
        from lakeloom.api.runs import events

        return events(self.root, run)

    def quarantine(self) -> list[RuleCount]:
        """Return how many rows each rule has sent to quarantine, table by table."""
        from lakeloom.api.quarantine import counts

        return counts(self.sql, [name for name in self.lake.tables() if name.layer == "quarantine"])

    def quarantined(self, table: str, limit: int | None = None) -> list[Quarantined]:
        """Return a table's quarantined rows, the newest first; raises LL-STORE-001 for an unknown table."""
        from lakeloom.api.quarantine import rows
        from lakeloom.api.table import unknown

        ref = TableRef.parse(table)
        if not self.lake.exists(ref.table) and not self.lake.exists(ref.table.quarantine):
            raise unknown(self.lake, ref.table)
        side = ref.table if ref.table.layer == "quarantine" else ref.table.quarantine
        return rows(self.sql, side, self.lake.columns(side), limit) if self.lake.exists(side) else []

    def evaluations(self, run: str | None = None) -> dict[str, dict[str, Any]]:
        """Return model → evaluation: of those that `run` trained, or of every model's newest training."""
        from lakeloom.api.reporting import evaluations

        return evaluations(self.root, run)

    def report(self, run: str | None = None) -> Path:
        """Write a run's report, by default the newest run's, and return the path of the HTML file.

        Raises
        ------
        RunError
            LL-RUN-003 where there is no such run.
        """
        from lakeloom.api.reporting import write

        return write(self.lake, self.name, self.lineage(), self._good, self.quarantine(), run)

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
            LL-CONF-018 without a schedule, or with a paused one; LL-CONF-004 for a malformed interval.
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

    def spark(self) -> SparkSession:
        """Return the Spark session of this environment; starts it where none runs."""
        from lakeloom.session.settings import overlay_of
        from lakeloom.session.spark import open_session
        from lakeloom.tables.catalog import settings

        overlay = overlay_of(self.raw.document.data.get("spark") or {})
        return open_session(settings(self._catalog, self.root, overlay))

    @property
    def _catalog(self) -> CatalogSpec:
        return self._read.settings.catalog

    @cached_property
    def _good(self) -> dict[str, int]:
        from lakeloom.store import refs

        return refs.good(self.lake)

    @cached_property
    def _read(self) -> Project:
        """The project as it can be read, entries with mistakes left out."""
        from lakeloom.project.typing import Reader

        return Reader(self.raw).project()

    def _schemas(self) -> dict[str, list[str]]:
        from lakeloom.api.recorded import columns

        return columns(self.lake, self._good, self._steps)

    def _steps(self) -> list[Step]:
        from lakeloom.project.graph import steps

        return steps(self._read)


def _share(raw: Raw) -> float | None:
    """Return the share of a sample, None for all; a malformed one is a finding of `check`, and no run starts."""
    if raw.document.data.get("sample") is None:
        return None
    from lakeloom.project.sampling import sample

    try:
        return sample(raw.document.data["sample"])
    except ValueError:
        return None
