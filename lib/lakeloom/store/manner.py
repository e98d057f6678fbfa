"""How rows go into a table: the words of the one commit function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lakeloom.core.names import quoted

Mode = Literal["append", "overwrite", "replace", "merge"]
# A boolean column of rows to be merged: a row that says true takes its key's row out of the table.
DELETED = "_deleted"
POSITION = "_position"


@dataclass(frozen=True)
class Manner:
    """How rows go into a table.

    Attributes
    ----------
    mode : {'append', 'overwrite', 'replace', 'merge'}
        ``replace``: the rows of the table that share their `by` with one of the new rows give way to these.
        ``merge``: a row takes the place of its key's row unless that one is later; ``_deleted`` rows delete.
    keys : tuple of str
        For a merge; unique in the rows.
    sequence : str, optional
        The column by which one row of a key is later than another; at the same place ``_position`` decides,
        where both have it, and else the rows that are written now. Without it they always win.
    by : tuple of str
        For ``replace``.
    update_when : str, optional
        SQL over ``old`` and ``new``: rows of a key that is there already are taken only where it holds.
    keep : tuple of str
        Columns that an update leaves as they are.
    evolve : {'none', 'add', 'widen'}
        Whether columns may be added, or their types be widened too.
    renamed : mapping
        New name → old name, of columns that the table may still have under the old one.
    dropped : tuple of str
        Columns to be taken away.
    """

    mode: Mode
    keys: tuple[str, ...] = ()
    sequence: str | None = None
    by: tuple[str, ...] = ()
    update_when: str | None = None
    keep: tuple[str, ...] = ()
    evolve: Literal["none", "add", "widen"] = "none"
    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def later(new: str, old: str, sequence: str, *, positions: bool) -> str:
    """Return SQL: whether a row of the alias `new` is not earlier than one of `old`.

    Parameters
    ----------
    positions : bool
        Whether both have ``_position``, which decides at the same place in the sequence.
    """
    column = quoted(sequence)
    if not positions or sequence == POSITION:
        return f"{new}.{column} >= {old}.{column}"
    return (
        f"({new}.{column} > {old}.{column} OR ({new}.{column} = {old}.{column} "
        f"AND {new}.{POSITION} >= {old}.{POSITION}))"
    )
