"""What people do about rows in quarantine: fix them, replay them, give them up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lakeloom.api.versions import Versions

if TYPE_CHECKING:
    from lakeloom.flow.mend import Dropped, Fixed, On
    from lakeloom.flow.replaying import Replayed
    from lakeloom.flow.result import Listener

D = TypeVar("D")


class Mending(Versions):
    """What `Versions` does, and the verbs of the quarantine."""

    def fix(
        self,
        table: str,
        *sets: str,
        file: str | Path | None = None,
        on: On | None = None,
        rule: str | None = None,
        where: str | None = None,
        ids: Sequence[str] = (),
        why: str | None = None,
    ) -> Fixed:
        """Keep a fix of rows in quarantine, and tell what would come of it; `replay` then puts them into the table.

        Parameters
        ----------
        sets : str
            ``column = expression``, in Spark's SQL over the row as it came.
        file : str or Path, optional
            A CSV or JSON lines file instead: rows that name an entry by ``id``, or by the table's keys, with new
            values. Of a source's table: the corrected file itself, in place of what could not be read.
        on : {'raw', 'row'}, optional
            Lay it over the bronze row (the default where its place is known) or the row that the transform made.
        rule, where, ids : optional
            Which open rows are meant: those of a rule, of an SQL condition on the row, or by their ids; all
            without any.

        Raises
        ------
        FixError
            LL-FIX-001 to LL-FIX-005: nothing is kept then.
        TableError
            LL-TABLE-003, LL-TABLE-007 for an expression that does not fit the row.
        """
        from lakeloom.flow.choice import Choice
        from lakeloom.flow.mend import Change, fix

        change = Change(sets, Path(file) if file is not None else None, on, why)
        return self._decided(fix(self.project, table, Choice(rule, where, tuple(ids)), change))

    def replay(
        self,
        table: str,
        *,
        rule: str | None = None,
        where: str | None = None,
        ids: Sequence[str] = (),
        listener: Listener | None = None,
    ) -> Replayed:
        """Run rows in quarantine through their table's transform and rules again, exactly once.

        Those with a fix, and those whose rules have changed since; what still breaks a rule stays in quarantine.

        Parameters
        ----------
        rule, where, ids : optional
            As for `fix`.

        Raises
        ------
        RunError
            LL-RUN-001 for an unknown table, LL-RUN-002 where a run holds the root.
        FixError
            LL-FIX-002 for a malformed condition.
        """
        from lakeloom.flow.choice import Choice
        from lakeloom.flow.replaying import replay

        return self._decided(replay(self.project, table, Choice(rule, where, tuple(ids)), listener=listener))

    def drop(
        self,
        table: str,
        *,
        why: str,
        rule: str | None = None,
        where: str | None = None,
        ids: Sequence[str] = (),
    ) -> Dropped:
        """Give rows in quarantine up: they stay there to be looked at, with who and why, and are no longer open.

        Raises
        ------
        FixError
            LL-FIX-001, LL-FIX-002, LL-FIX-005.
        """
        from lakeloom.flow.choice import Choice
        from lakeloom.flow.mend import drop

        return self._decided(drop(self.project, table, Choice(rule, where, tuple(ids)), why))

    def _decided(self, result: D) -> D:
        self.__dict__.pop("_good", None)  # what was read before is older than what was just published
        return result
