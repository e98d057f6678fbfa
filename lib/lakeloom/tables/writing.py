"""What ``write:`` of a table may say: how its rows go into it, and how the table is laid out."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from lakeloom.core.errors import LakeloomError, TableError
from lakeloom.core.names import TableName
from lakeloom.quality.conditions import fault
from lakeloom.tables.words import Strict

BY_KEY = ("merge", "scd2", "scd4")
# Which modes a word belongs to.
_BELONGS = {
    "by": ("replace",),
    "sequence_by": (*BY_KEY, "replace"),
    "delete_when": BY_KEY,
    "snapshot_by": BY_KEY,
    "update_when": ("merge",),
    "keep": ("merge",),
    "track": ("scd2", "scd4"),
    "history": ("scd4",),
}


class WriteSpec(Strict):
    """How rows go into a table.

    Attributes
    ----------
    mode : {'append', 'overwrite', 'replace', 'merge', 'scd2', 'scd4'}
        ``append``: added. ``overwrite``: the whole table anew. ``replace``: the new rows take the place of those
        that share their values of `by`. ``merge``: the newest row of each key (SCD type 1). ``scd2``: each key's
        versions, with the time from and until which they held. ``scd4``: the newest row of each key here, and all
        versions in the table `history`.
    sequence_by : str, optional
        The column by which one row of a key is later than another; for ``replace``, one delivery of a group.
    by : tuple of str
        For ``replace``; a group is the rows that share their values of these.
    delete_when : str, optional
        SQL over a row: it says that its key is gone. A column ``_op`` may be used here; it is not stored.
    update_when : str, optional
        SQL over ``old`` and ``new``: a key's row is updated only where it holds.
    keep : tuple of str
        Columns that an update leaves as they are.
    snapshot_by : str, optional
        The rows are whole states of the source, told apart and ordered by this column: keys that a state lacks are
        gone.
    track : tuple of str
        Columns of which a change makes a version; all where none is named.
    history : str, optional
    partition_by, cluster_by : tuple of str
        How a new table's files are laid out; at most one of the two.
    change_feed : bool
        Whether the table tells its changes, row by row, to whoever reads it as ``changes``.
    deletion_vectors : bool
        Whether changed rows are marked in place of rewriting their files. Some readers don't know these marks.
    """

    mode: Literal["append", "overwrite", "replace", "merge", "scd2", "scd4"] = "overwrite"
    sequence_by: str | None = None
    by: tuple[str, ...] = ()
    delete_when: str | None = None
    update_when: str | None = None
    keep: tuple[str, ...] = ()
    snapshot_by: str | None = None
    track: tuple[str, ...] = ()
    history: str | None = None
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    change_feed: bool = False
    deletion_vectors: bool = False

    @model_validator(mode="after")
    def _goes_together(self) -> WriteSpec:
        for word, modes in _BELONGS.items():
            if getattr(self, word) and self.mode not in modes:
                raise _refuse(f"'{word}' belongs to mode {' or '.join(modes)}, not to {self.mode}", f"remove {word}:")
        if self.mode in ("scd2", "scd4") and self.order is None:
            raise _refuse(f"mode {self.mode} lacks the order of the changes", "add sequence_by: or snapshot_by:")
        if self.mode == "replace" and not self.by:
            raise _refuse("mode replace lacks the columns to replace by", "add by: [...], such as a day")
        if (self.mode == "scd4") != bool(self.history):
            raise _refuse("mode scd4 lacks the table for the versions", "add history: silver.<name>")
        if self.snapshot_by and (self.sequence_by or self.delete_when):
            raise _refuse("whole states have their own order and deletions", "remove sequence_by: and delete_when:")
        if self.partition_by and self.cluster_by:
            raise _refuse("a table is partitioned or clustered, not both", "remove one of them")
        for word in ("delete_when", "update_when"):
            problem = fault(getattr(self, word)) if getattr(self, word) else None
            if problem:
                raise _refuse(f"{word}: {problem}", "write one condition over a row")
        if self.history:
            self._history_is_a_table(self.history)
        return self

    @property
    def by_key(self) -> bool:
        """Whether one key has one row, or one chain of versions."""
        return self.mode in BY_KEY

    @property
    def order(self) -> str | None:
        """The column that puts a key's rows in order."""
        return self.snapshot_by or self.sequence_by

    @property
    def features(self) -> tuple[str, ...]:
        """Delta's features that are on, as table properties."""
        feed = ("delta.enableChangeDataFeed",) if self.change_feed else ()
        return feed + (("delta.enableDeletionVectors",) if self.deletion_vectors else ())

    @staticmethod
    def _history_is_a_table(name: str) -> None:
        try:
            layer = TableName.parse(name).layer
        except LakeloomError as error:
            raise _refuse(error.message, error.fix or "name it like silver.customers_history") from None
        if layer not in ("silver", "gold"):
            raise _refuse(f"{name} is no silver or gold table", "name it like silver.customers_history")


def _refuse(reason: str, fix: str) -> PydanticCustomError:
    error = TableError("LL-TABLE-010", reason, fix=fix)
    return PydanticCustomError("LL-TABLE-010", "{reason}", {"reason": reason, "error": error})
