"""Versions of tables: named by tags, compared with one another, brought back, cloned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lakeloom.api.reading import Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakeloom.api.keeping_cost import HistoryCost
    from lakeloom.flow.cloning import Cloned
    from lakeloom.flow.compare import Comparison, Engine
    from lakeloom.flow.recovery import Recovered
    from lakeloom.flow.restoring import Restored
    from lakeloom.store.audit import Verdict
    from lakeloom.store.tags import Tag


class Versions(Records):
    """What `Records` reads, and what is done with versions of tables."""

    def tags(self) -> list[Tag]:
        """Return all tags, oldest first: name, at, who, versions."""
        from lakeloom.store.tags import tags

        return tags(self.lake)

    def tag(self, name: str, *tables: str) -> Tag:
        """Name versions of many tables once and for all; ``table@name`` and `at` read them, vacuum keeps them.

        Parameters
        ----------
        name : str
            Letters, digits, ``_``, ``-`` and dots, a letter first.
        tables : str
            Tables, globs of them, or ``table@point``; the last good versions of all tables and models without any.

        Raises
        ------
        StoreError
            LL-STORE-014 for a malformed name, LL-STORE-015 where the tag means other versions already; LL-STORE-001,
            LL-STORE-002, LL-STORE-012, LL-STORE-016 for a table or a version that is not there.
        RunError
            LL-RUN-002 where a run holds the root.
        """
        from lakeloom.flow.tagging import tag

        return tag(self.lake, name, tables, wait_s=self._read.settings.wait_s)

    def untag(self, name: str) -> Tag:
        """Delete a tag and return what it meant: its versions are no longer kept for it. Raises LL-STORE-002."""
        from lakeloom.flow.tagging import untag

        return untag(self.lake, name, wait_s=self._read.settings.wait_s)

    def diff(
        self,
        table: str,
        before: int | str,
        after: int | str | None = None,
        *,
        keys: Sequence[str] = (),
        examples: int = 0,
        whole: bool = False,
        engine: Engine = "auto",
    ) -> Comparison:
        """Return how two versions of a table differ: columns, rows, values, and what these reach.

        Only the data files that the two don't share are read, without a JVM where deltalake can read them.

        Parameters
        ----------
        before, after : int or str
            A number, an ISO time in UTC or a tag; `after` is the last good version by default.
        keys : sequence of str
            By what rows are told apart; the table's declared keys by default.
        examples : int
            How many rows of each kind to give; columns that may be personal are left out of them.
        whole : bool
            Tell the distribution of all rows too; both versions are read whole for it.
        engine : {'auto', 'delta', 'spark'}

        Raises
        ------
        TableError
            LL-TABLE-001, LL-TABLE-002 for a malformed name or version, LL-TABLE-003 for a key that is no column.
        StoreError
            LL-STORE-001, LL-STORE-002, LL-STORE-012, LL-STORE-016 for a table or version that is not there.
        """
        from lakeloom.flow.compare import compare, key_of
        from lakeloom.flow.radius import reach_of
        from lakeloom.project.personal import guarded
        from lakeloom.quality.personal import tag_of
        from lakeloom.store.between import Place

        old, new = self.table(table, before), self.table(table, after)
        tagged = guarded(self._read)
        found = compare(
            Place(self.lake, old.name, old.version),
            Place(self.lake, new.name, new.version),
            key_of(keys, new.columns, table) or self._keys(table),
            hidden={name for name in (*old.columns, *new.columns) if name in tagged or tag_of(name) is not None},
            examples=examples,
            whole=whole,
            engine=engine,
            spark=self.spark,
        )
        return replace(found, reached=reach_of(self._read, found.starts()))

    def restore(self, table: str, point: int | str) -> Restored:
        """Bring a table back to a version by a commit of its own, and publish it; who reads it follows at the next run.

        What holds its changes beside it (a history, what is kept aside) goes back with it; its quarantine stays.
        Rows that were consumed since are not read again: ``run --from`` does that.

        Parameters
        ----------
        point : int or str
            A version, an ISO time (what readers saw then), a tag, ``last-good``, or ``previous``: the published
            version with other rows before the last one.

        Raises
        ------
        ConfigError
            All findings of `check`.
        StoreError
            LL-STORE-001, LL-STORE-002, LL-STORE-012, LL-STORE-016 for a table or version that is not there,
            LL-STORE-017 for one that was never published.
        RunError
            LL-RUN-002 where a run holds the root, LL-RUN-010 where the table can't be restored as it is.
        """
        from lakeloom.flow.restoring import restore_table

        restored = restore_table(self.project, table, str(point))
        self.__dict__.pop("_good", None)
        return restored

    def clone(self, table: str, target: str, version: int | str | None = None, *, full: bool = False) -> Cloned:
        """Make a table of the rows that another one has at a version; it shares the data files and takes no room.

        Parameters
        ----------
        table, version : as for `table`.
        target : str
            ``layer.name`` of a table that is not there and that no step writes.
        full : bool
            Copy the files instead of sharing them.

        Raises
        ------
        ConfigError
            All findings of `check`.
        StoreError
            LL-STORE-001, LL-STORE-002, LL-STORE-012, LL-STORE-016 for a table or version that is not there,
            LL-STORE-018 where the clone can't be made, LL-STORE-019 where files can't be shared.
        RunError
            LL-RUN-002 where a run holds the root.
        """
        from lakeloom.core.names import TableName
        from lakeloom.flow.cloning import clone_table

        found = self.table(table, version)
        made = clone_table(self.project, found.name, found.version, TableName.parse(target), full=full)
        self.__dict__.pop("_good", None)
        return made

    def history_cost(self, *tables: str) -> list[HistoryCost]:
        """Return what the history of tables costs, the dearest first; nothing is started.

        Parameters
        ----------
        tables : str
            Only these; all without any.

        Raises
        ------
        TableError
            LL-STORE-001 for a table that does not exist.
        """
        from datetime import UTC, datetime

        from lakeloom.api.keeping_cost import costs

        return costs(self.lake, self._steps(), datetime.now(UTC), tables)

    def audit(self, table: str | None = None) -> list[dict[str, Any]]:
        """Return who did what, when, to which table at which version, oldest first; of one table or of all.

        Each has order, at, who, action, table, version, step, epoch, run, detail, previous and hash; those without a
        hash are not in the chain yet.
        """
        from lakeloom.store.audit import entries

        return [row for row in entries(self.lake) if table in (None, row["table"])]

    def verify_audit(self) -> Verdict:
        """Recompute the audit's chain of hashes, and hold it against the refs; `.broken` says what is wrong."""
        from lakeloom.store.audit import verify

        return verify(self.lake)

    def recover(self) -> Recovered:
        """Rebuild the platform's own tables, but refs and audit, from the runs' logs and the intents.

        Raises
        ------
        RunError
            LL-RUN-002 where a run holds the root.
        """
        from lakeloom.flow.recovery import recover

        return recover(self.root, self.name, wait_s=self._read.settings.wait_s)

    def _keys(self, table: str) -> tuple[str, ...]:
        """Return what tells the rows of a table apart, as far as the config says."""
        from lakeloom.project.about import keys_of

        return keys_of(self._read, table)
