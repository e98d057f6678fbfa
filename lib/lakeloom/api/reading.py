"""What was recorded of a project: its tables at any version, runs, lineage, quarantine, models, costs."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lakeloom.api.opened import Opened
from lakeloom.core.errors import ConfigError, StoreError, TableError
from lakeloom.core.extras import coded
from lakeloom.core.kinds import nearest
from lakeloom.core.names import TableName, TableRef

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import pyarrow as pa

    from lakeloom.api.cost import By, Cost
    from lakeloom.api.dataset import Dataset
    from lakeloom.api.judgements import Conflicts
    from lakeloom.api.metrics import Metrics
    from lakeloom.api.model import Model
    from lakeloom.api.quarantine import Quarantined, RuleCount
    from lakeloom.api.query import Engine
    from lakeloom.api.table import Table, TableInfo
    from lakeloom.flow.freshness import Freshness
    from lakeloom.lineage.graph import Lineage
    from lakeloom.lineage.reason import Why
    from lakeloom.quality.timeline import RuleOverTime
    from lakeloom.store.intents import Intent


class Records(Opened):
    """The tables under a project's storage root, and what its runs have written down."""

    def at(self, point: int | str) -> Self:
        """Return the same project read at a time or a tag: its tables, datasets, models and `sql`.

        A name with a version of its own keeps it; a table that the tag does not name is LL-STORE-002.

        Examples
        --------
        >>> lake.at("release-7").sql("select * from gold.sales")     # doctest: +SKIP
        """
        other = copy(self)
        other.point = str(point)
        return other

    def tables(self) -> list[TableInfo]:
        """Return every table at its last good version, layer by layer; at a point, those that have one there."""
        from lakeloom.api.table import TableInfo

        found = []
        for name, version in self._versions():
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
            LL-STORE-001 where there is no such table, LL-STORE-002 no such version or tag, LL-STORE-012 where it was
            vacuumed, LL-STORE-016 where the tag means a table that is gone.
        """
        from lakeloom.api.table import Table, unknown
        from lakeloom.store.tags import resolve

        if version is not None and "@" in name:
            raise TableError("LL-TABLE-002", f"{name} names a version already", fix="give one of the two")
        ref = TableRef.parse(name if version is None else f"{name}@{version}").at(self.point)
        if not self.lake.exists(ref.table):
            raise unknown(self.lake, ref.table)
        return Table(ref.table, resolve(self.lake, ref, self._good.get(str(ref.table))), self.lake, self.spark)

    def dataset(self, name: str, version: int | str | None = None) -> Dataset:
        """Return a dataset at a version, by default the last good one.

        Parameters
        ----------
        name : str
            As declared under ``datasets:``.
        version : int or str, optional
            A number, an ISO time in UTC or a tag.

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

    def _of_intent(self, intent: Intent) -> Dataset:
        """Return the dataset that an execution has read, at the version that it has read."""
        from lakeloom.store.identity import require_same

        table, version = next(each for each in intent.reads.items() if each[0].startswith("datasets."))
        require_same(self.lake, {table: intent.ids.get(table, "")}, f"epoch {intent.epoch} of {intent.step}")
        return self.dataset(table.partition(".")[2], version)

    @coded()
    def model(self, name: str, version: int | str | None = None) -> Model:
        """Return a trained model: by its version in the registry, an alias or a tag, or the one that scores.

        Of a tag it is the model that scored when the tag was made; a tag goes before an alias of the same name.

        Raises
        ------
        TrainError
            LL-TRAIN-003 where there is no such model or version.
        SetupError
            LL-SETUP-003 for an alias without the extra ``train``.
        """
        from lakeloom.api.model import find
        from lakeloom.store.tags import tags

        asked = str(self.point if version is None else version)
        tagged = next((tag for tag in tags(self.lake) if tag.name == asked), None) if asked else None
        trained = tagged.versions.get(f"models.{name}") if tagged else None
        return find(self.root, self.tracking, name, version, self._of_intent, trained=trained)

    def sql(self, text: str, engine: Engine = "auto", limit: int | None = None) -> pa.Table:
        """Return the rows of one SELECT; see `lakeloom.api.query.query`."""
        from lakeloom.api.query import query

        return query(self.lake, self._good, text, engine=engine, limit=limit, point=self.point, spark=self.spark)

    def lineage(
        self, name: str | None = None, *, up: bool = True, down: bool = True, to: str | None = None,
        how: Collection[str] = (),
    ) -> Lineage:  # fmt: skip
        """Return what comes from what: of everything, or around a table, model, source, or column of one.

        Parameters
        ----------
        name : str, optional
            ``layer.table``, ``layer.table.column``, or either with ``@version`` behind the table.
        to : str, optional
            Another one: what lies on a way from `name` to it.
        how : collection of str
            Follow only these flows between columns: ``value``, ``filter``, ``join key``, ``grouping``, …

        Raises
        ------
        TableError
            LL-STORE-001 for a name that is not in the graph.
        """
        from lakeloom.api.lineage import lineage

        return lineage(self.lake, self._steps, self.raw, name, up=up, down=down, to=to, how=how)

    def why(self, table: str, key: Mapping[str, Any] | str, limit: int = 20) -> Why:
        """Return the rows of a key, and the rows that they were made of, down to bronze's files and positions.

        Each step is done again for the key at the versions that the execution read; nothing is written. Starts Spark.

        Parameters
        ----------
        table : str
            ``layer.name``, or ``layer.name@version`` with a number, an ISO time in UTC or a tag.
        key : mapping or str
            Column → value, as text or of the column's type; a text alone is the value of the one declared key.
        limit : int
            How many rows are told of the key, and of each input of a row.

        Raises
        ------
        LineageError
            LL-LINEAGE-001 where no row has the key, LL-LINEAGE-002 where the key is malformed.
        TableError
            LL-TABLE-003 for a column that the table lacks.
        StoreError
            LL-STORE-001, LL-STORE-002, LL-STORE-012 for a table or version that is not there.
        """
        from lakeloom.api.why import why
        from lakeloom.project.about import keys_of

        found = self.table(table)
        return why(self._read, self.lake, found, keys_of(self._read, str(found.name)), key, limit)

    def lineage_page(self, file: str | Path) -> Path:
        """Write the lineage of all columns as one HTML file, and return its path; raises LL-STORE-004."""
        from lakeloom.api.lineage import write_page

        return write_page(self.lake, self.raw, Path(file))

    def freshness(self) -> list[Freshness]:
        """Return how old the data of each table and source is that declares ``freshness``; no Spark is started."""
        from datetime import UTC, datetime

        from lakeloom.flow.freshness import freshness

        return freshness(self.project, self.lake, self._good, datetime.now(UTC))

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
        """Return how many rows each rule has in quarantine, table by table; replayed and dropped ones don't count."""
        from lakeloom.api.quarantine import counts

        sides = [name for name in self.lake.tables() if name.layer == "quarantine"]
        return counts(self.sql, {side: self.lake.columns(side, self._good.get(str(side))) for side in sides})

    def quarantined(
        self,
        table: str,
        limit: int | None = None,
        *,
        rule: str | None = None,
        where: str | None = None,
        resolved: bool = False,
    ) -> list[Quarantined]:
        """Return a table's quarantined rows, the newest first.

        Parameters
        ----------
        rule : str, optional
            Only rows that break this rule.
        where : str, optional
            An SQL condition (Spark's dialect) on the row as it came; this alone starts Spark.
        resolved : bool
            Those that were replayed or dropped as well.

        Raises
        ------
        StoreError
            LL-STORE-001 for an unknown table.
        FixError
            LL-FIX-002 for a malformed condition.
        """
        from lakeloom.api.quarantine import entries, rows
        from lakeloom.api.table import unknown

        ref = TableRef.parse(table)
        if not self.lake.exists(ref.table) and not self.lake.exists(ref.table.quarantine):
            raise unknown(self.lake, ref.table)
        side = ref.table if ref.table.layer == "quarantine" else ref.table.quarantine
        if not self.lake.exists(side):
            return []
        there = self.lake.columns(side, self._good.get(str(side)))
        if where is None:
            return rows(self.sql, side, there, limit, rule=rule, resolved=resolved)
        from lakeloom.flow.desk import look

        return entries(look(self.project, table, rule, where, limit, resolved=resolved), there)

    def rule_history(self, table: str | None = None, limit: int = 60) -> list[RuleOverTime]:
        """Return a table's rules, or those of all tables, with what came of them in the last `limit` executions.

        Raises
        ------
        StoreError
            LL-STORE-001 where the table has no execution.
        """
        from lakeloom.api.judgements import rules

        return rules(self.root, table, limit)

    def conflicts(self, table: str, limit: int = 10) -> Conflicts:
        """Return how often which source won against which, with `limit` of the values that were not taken.

        Raises
        ------
        ConfigError
            All findings of `check`; LL-CONF-010 where the table is not declared, LL-CONF-005 where it keeps no losers.
        """
        from lakeloom.api.judgements import conflicts, with_sample

        return with_sample(conflicts(self.root, self.project, table), self.project, self.sql, limit)

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

    def _versions(self) -> Iterator[tuple[TableName, int]]:
        """Yield every table with the version that it is read at."""
        from lakeloom.store.tags import find, resolve

        ref = TableRef.parse(f"meta.refs@{self.point}") if self.point else None
        tag = find(self.lake, ref.tag) if ref is not None and ref.tag else None
        for name in self.lake.tables():
            good = self._good.get(str(name))
            if ref is None:
                yield name, self.lake.version(name) if good is None else good
            elif tag is None or str(name) in tag.versions:
                try:
                    version = resolve(self.lake, TableRef(name, ref.version, ref.time, ref.tag), good, tag)
                except StoreError:
                    if tag is not None:
                        raise
                    continue  # it was not there yet, or was vacuumed
                yield name, version
