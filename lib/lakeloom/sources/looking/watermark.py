"""By which column new and changed rows of a table are found, and how sure that is. Pure.

A watermark must move whenever a row changes. What is called so (``updated_at``, ``modified``, ``rowversion``) is taken.
A time that says when a row was made sees no change: it is taken only where the table has no key, as logs have none, and
an index or its name speaks for it. Where neither holds, the table is compared as a whole, which misses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lakeloom.core.names import is_identifier
from lakeloom.quality.personal import words

_CHANGED = frozenset(("updated", "modified", "changed", "touched", "rowversion", "mtime", "update", "modification"))
_MADE = frozenset(("created", "inserted", "added", "logged", "recorded", "at", "time", "ts", "timestamp", "when"))
_BACK = 0.95
_OVERLAP: dict[str, str | int] = {"time": "1 hour", "zoned": "1 hour", "date": "1 day", "number": 0, "text": 0}


@dataclass(frozen=True)
class Fact:
    """What is known of a column.

    Attributes
    ----------
    name : str
    family : str or None
        As `lakeloom.sources.jdbc.windows.family`; a text counts only where its values sort as times do.
    indexed : bool
        Whether an index begins with it: its largest value is then found without reading the table.
    nulls : int
        Rows without a value, of those that were looked at.
    grows : float or None
        How much the order of storage explains it, -1 to 1.
    """

    name: str
    family: str | None
    indexed: bool = False
    nulls: int = 0
    grows: float | None = None


@dataclass(frozen=True)
class Watermark:
    """A column for ``incremental:``, with why it is that one, and what else was considered, in words."""

    by: str | None
    overlap: str | int
    evidence: str
    others: tuple[str, ...] = ()

    def as_entry(self) -> dict[str, object]:
        """Return the key of a source's entry; nothing where there is no watermark."""
        return {} if self.by is None else {"incremental": {"by": self.by, "overlap": self.overlap}}


def watermark(columns: Sequence[Fact], *, keyed: bool) -> Watermark:
    """Return the column by which a table is read, none where no column is sure to move.

    Parameters
    ----------
    keyed : bool
        Whether the table has a key: its rows may then change.
    """
    ranked = sorted(_candidates(columns), key=lambda each: each[0], reverse=True)
    if ranked:
        (changed, *_), fact, evidence = ranked[0]
        others = tuple(f"{each.name} ({why})" for _, each, why in ranked[1:3])
        if changed or not keyed:
            return Watermark(fact.name, _OVERLAP[str(fact.family)], evidence, others)
        told = f"{fact.name} ({evidence}) would find new rows, and no changed one"
        return Watermark(None, 0, f"compared as a whole; {told}")
    return Watermark(None, 0, "compared as a whole: no column says when a row was changed")


def _candidates(columns: Sequence[Fact]) -> Iterator[tuple[tuple[bool, ...], Fact, str]]:
    for each in columns:
        if each.family not in _OVERLAP or not is_identifier(each.name):
            continue
        named = words(each.name)
        changed, made = bool(_CHANGED.intersection(named)), bool(_MADE.intersection(named))
        timed = each.family in ("time", "zoned", "date", "text")
        steady = (each.grows or 0) > _BACK
        if not (changed or (timed and (made or each.indexed)) or (each.indexed and steady and not timed)):
            continue
        reasons = ["its name says that a row was changed"] if changed else ["its name speaks of time"] if made else []
        reasons += ["an index begins with it"] if each.indexed else []
        reasons += ["it grows from row to row"] if steady else []
        reasons += [f"{each.nulls:,} of the rows looked at have none"] if each.nulls else []
        yield (changed, timed, each.indexed, steady, not each.nulls), each, ", ".join(reasons)
