"""Branches of a project, from Python."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from lakeloom.api.keeping import Keeping

if TYPE_CHECKING:
    from lakeloom.flow.compare import Comparison
    from lakeloom.flow.promoting import Promoted
    from lakeloom.flow.result import Listener
    from lakeloom.store.branches import Branch
    from lakeloom.store.lake import Lake


class Branching(Keeping):
    """What `Keeping` does, and branches."""

    def branch(self, name: str) -> Self:
        """Return the project on a branch, which is made of what is published on main where there is none.

        Runs on it read what main had when it was made and share its data files; main sees nothing of them.

        Raises
        ------
        BranchError
            LL-BRANCH-002 for a malformed name.
        StoreError
            LL-STORE-019 where files can't be shared.
        RunError
            LL-RUN-002 where a run holds main.

        Examples
        --------
        >>> work = lake.branch("fix-delays")     # doctest: +SKIP
        >>> work.run()                           # doctest: +SKIP
        >>> work.changes()                       # doctest: +SKIP
        >>> lake.promote("fix-delays")           # doctest: +SKIP
        """
        from lakeloom.flow.branching import begin

        begin(self._read, name)
        return self._on(name)

    def on_branch(self, name: str) -> Self:
        """Return the project on a branch that exists; raises LL-BRANCH-001, LL-BRANCH-002."""
        from lakeloom.flow.branching import Branched, require_name

        Branched.of(self._main, require_name(name))
        return self._on(name)

    def branches(self) -> list[Branch]:
        """Return all branches of main, oldest first: name, at, who, base, promoted."""
        from lakeloom.store.branches import branches

        return branches(self._read.main)

    def drop_branch(self, name: str) -> Branch:
        """Delete a branch; raises LL-BRANCH-001, LL-RUN-002 where a run is on it."""
        from lakeloom.flow.branching import drop

        return drop(self._read, name)

    def changes(self, *tables: str, examples: int = 0, whole: bool = False) -> dict[str, Comparison | None]:
        """Return how the tables that the branch has written differ from what main had when it was made.

        Parameters
        ----------
        tables : str
            Only these.
        examples, whole
            As for `diff`.

        Returns
        -------
        dict
            Table → comparison; None for a table that main does not have.

        Raises
        ------
        BranchError
            LL-BRANCH-001 where the project is on no branch, or its branch is gone.
        """
        from lakeloom.flow.branching import Branched, moved

        found: dict[str, Comparison | None] = {}
        for each in moved(Branched.of(self._main, self.on or "")):
            if tables and each.table not in tables:
                continue
            at = each.before
            found[each.table] = (
                None if at is None else self.diff(each.table, at, each.after, examples=examples, whole=whole)
            )
        return found

    def promote(self, name: str, *, listener: Listener | None = None, allow_breaking: bool = False) -> Promoted:
        """Build on main what a branch has built, at the same inputs, then take up what has come to main since.

        Parameters
        ----------
        allow_breaking : bool
            As for `Lakehouse.run`.

        Raises
        ------
        ConfigError
            All findings of `check`.
        ContractError
            LL-TABLE-011 where a table that is published on main would break.
        BranchError
            LL-BRANCH-001 for an unknown branch, LL-BRANCH-003 where it has not run the code as it is, LL-BRANCH-004
            where a step was changed on main since.
        RunError
            LL-RUN-002 where a run holds main.
        """
        from lakeloom.flow.promoting import promote

        # Main's own settings: a branch's lack the catalog, the channels and the registry.
        return self._decided(promote(self._on(None).project, name, listener=listener, allow_breaking=allow_breaking))

    def _ready(self) -> None:
        """Make the branch that the config names, where there is none."""
        if self.on is not None:
            self.branch(self.on)

    def _on(self, name: str | None) -> Self:
        data = self.raw.document.data | {"branch": name}
        return type(self)(replace(self.raw, document=replace(self.raw.document, data=data)))

    @property
    def _main(self) -> Lake:
        from lakeloom.store.lake import Lake

        return Lake(self._read.main)
