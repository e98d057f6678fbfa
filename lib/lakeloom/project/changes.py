"""What a changed step changes: by column where what makes it is known before and after, else the whole of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from lakeloom.lineage.prints import Prints
from lakeloom.lineage.reach import Start

OLDER = "an older release ran it last, which noted nothing to compare with"


@dataclass(frozen=True)
class StepChange:
    """How the code, config or schema of a step differs from what stands.

    Attributes
    ----------
    step : str
    table : str
        What it writes.
    words : tuple of str
        The words of its declaration that changed, such as ``sql`` or ``rules``.
    columns : dict
        Column → ``changed``, ``added``, ``dropped``, or ``maybe`` where it can't be told by column.
    rows : tuple of str
        The words that say otherwise than before which rows there are.
    rebuild : bool
        Whether the table is built anew; False where the change holds from the next new rows on.
    why : str
        Why it can't be told by column, empty where it can.
    """

    step: str
    table: str
    words: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    rebuild: bool = True
    why: str = ""

    @property
    def nothing(self) -> bool:
        """Whether no value and no row is another one: only the hash of its text differs."""
        return not (self.columns or self.rows or self.why)

    def starts(self) -> Iterator[Start]:
        """Yield what of it reaches further."""
        for column, what in self.columns.items():
            if what != "added":  # nobody has read it yet
                yield Start(f"{self.table}.{column}", what != "maybe")
        if self.rows:
            yield Start(self.table)
        elif self.why:
            yield Start(self.table, sure=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``plan --json``."""
        return {
            "step": self.step,
            "words": list(self.words),
            "columns": self.columns,
            "rows": list(self.rows),
            "rebuild": self.rebuild,
            "why": self.why,
        }


def changed(
    step: str,
    table: str,
    before: Prints | None,
    after: Prints,
    there: Collection[str],
    *,
    rebuild: bool = True,
) -> StepChange:
    """Return what differs between two prints of a step whose code is another one.

    Parameters
    ----------
    before : Prints, optional
        Of its last execution; None where nothing was noted.
    there : collection of str
        The columns that the table has now.
    """
    if before is None:
        maybe = {name: "maybe" for name in there if name[:1] != "_"}
        return StepChange(step, table, (), maybe, (), rebuild, OLDER)
    words = tuple(_differing(before.words, after.words))
    rows = tuple(_differing(before.rows, after.rows))
    whole = _differing(before.whole, after.whole)
    columns = {}
    for name in _differing(before.columns, after.columns):
        kind = "changed" if name in before.columns and name in after.columns else ""
        columns[name] = kind or ("added" if name in after.columns else "dropped")
    if whole:
        # What is told on one side only, as of SQL that became a function, is not known to differ.
        known = {name: what for name, what in columns.items() if what == "changed"}
        columns = {name: "maybe" for name in there if name[:1] != "_" and name not in known} | known
        rows = tuple(name for name in rows if name in before.rows and name in after.rows)
    why = f"{', '.join(whole)}: no column of it is told apart" if whole else ""
    return StepChange(step, table, words, columns, rows, rebuild, why)


def _differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
