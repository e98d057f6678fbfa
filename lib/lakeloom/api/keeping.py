"""Upkeep on demand, from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.api.mending import Mending

if TYPE_CHECKING:
    from lakeloom.flow.result import Listener
    from lakeloom.flow.upkeeping import UpkeepResult


class Keeping(Mending):
    """What `Mending` does, and upkeep."""

    def upkeep(self, *select: str, dry_run: bool = False, listener: Listener | None = None) -> UpkeepResult:
        """Put small files together and delete what no kept version needs, now.

        A table without ``upkeep:`` gets the default policy, which deletes nothing.

        Parameters
        ----------
        select : str
            Tables or globs of them, ``meta`` for the platform's own; all without any. What lies beside a table
            (its quarantine, its history) goes with it.
        dry_run : bool
            Only tell what would be done; nothing is started or written.

        Raises
        ------
        ConfigError
            All findings of `check`.
        RunError
            LL-RUN-001 for a pattern that selects nothing, LL-RUN-002 where a run holds the root.
        """
        from lakeloom.flow.upkeeping import ahead, keep

        if dry_run:
            return ahead(self.project, select)
        return self._decided(keep(self.project, select, listener=listener))
