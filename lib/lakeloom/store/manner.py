"""How rows go into a table: the words of the one commit function."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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


def same(keys: Iterable[str], filled: Collection[str], old: str = "old", new: str = "new") -> str:
    """Return SQL: whether rows of two aliases have the same key; `filled` are keys that are NULL nowhere in `old`."""
    # A key may have NULL parts, and NULL = NULL would insert the row again. Where the table has none the plain
    # comparison says the same, and is joined by as it is: the null-safe one goes through two expressions a row.
    return " AND ".join(f"{old}.{quoted(key)} {'=' if key in filled else '<=>'} {new}.{quoted(key)}" for key in keys)


def clauses(how: Manner, given: Iterable[str], there: Iterable[str]) -> list[tuple[str, str]]:
    """Return what a merge does with rows ``new`` and ``old`` of a key: (``delete``, ``update`` or ``insert``, when).

    Parameters
    ----------
    given, there : iterable of str
        The columns of the new rows, and of the table.

    Returns
    -------
    list of (str, str)
        The first of `delete` and `update` whose condition holds is done to a row that is met, ``insert`` with one
        that is not; an empty condition always holds.
    """
    names, known = {name.lower() for name in given}, {name.lower() for name in there}
    ordered = [later("new", "old", how.sequence, positions=POSITION in names & known)] if how.sequence else []
    updating = ordered
    stays = f"NOT new.{DELETED}"
    made = []
    if DELETED in names:
        made.append(("delete", " AND ".join([f"new.{DELETED}", *ordered])))
        updating = [stays, *updating]
    if names - {name.lower() for name in (*how.keys, DELETED)}:
        made.append(("update", " AND ".join(updating)))
    return [*made, ("insert", stays if DELETED in names else "")]
