"""Branches: made under main's lock of what is published there, looked at, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from lakeloom.core.errors import BranchError
from lakeloom.core.names import NOT_TABLES
from lakeloom.core.users import who
from lakeloom.flow.auditing import noted
from lakeloom.project.sampling import branch as checked
from lakeloom.project.spec import Project
from lakeloom.store import branches, refs
from lakeloom.store.identity import identity
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked
from lakeloom.store.log import unchanged


def require_name(name: str) -> str:
    """Return a branch's name; raises LL-BRANCH-002."""
    try:
        return checked(name)
    except ValueError as wrong:
        raise BranchError("LL-BRANCH-002", str(wrong), fix="name it like fix-delays") from None


def begin(project: Project, name: str) -> branches.Branch:
    """Return the branch, which is made of main where there is none; raises LL-BRANCH-002, LL-RUN-002, LL-STORE-019."""
    require_name(name)
    root = project.main
    if branches.exists(root, name):
        return branches.read(root, name)
    with locked(root, project.settings.wait_s):
        if branches.exists(root, name):
            return branches.read(root, name)
        # Noted first: killed in between, the audit tells it twice rather than never.
        noted(root, "branch", detail=name)
        return branches.make(Lake(root), name, who=who(), at=datetime.now(UTC))


def drop(project: Project, name: str) -> branches.Branch:
    """Delete a branch; raises LL-BRANCH-001, LL-RUN-002 where a run is on it or on main."""
    root = project.main
    branches.read(root, name)
    with locked(root, project.settings.wait_s), locked(branches.place(root, name), project.settings.wait_s):
        noted(root, "drop branch", detail=name)
        return branches.drop(root, name)


@dataclass(frozen=True)
class Branched:
    """A branch, opened."""

    branch: branches.Branch
    lake: Lake

    @classmethod
    def of(cls, main: Lake, name: str) -> Branched:
        """Open a branch of a storage root; raises LL-BRANCH-001."""
        found = branches.read(main.root, name)
        return cls(found, Lake(branches.place(main.root, name)))


@dataclass(frozen=True)
class Moved:
    """A table that a branch has written: its version when the branch was made, None for a new one, and now."""

    table: str
    before: int | None
    after: int


def moved(opened: Branched) -> list[Moved]:
    """Return the tables whose rows or columns a branch has written, in the order of their names."""
    lake, found = opened.lake, []
    for table, version in sorted(refs.good(lake).items()):
        before = opened.branch.base.get(table)
        if version == before or not _is_table(lake, table):
            continue
        if before is not None and unchanged(lake, table, before, version):
            continue
        found.append(Moved(table, before, version))
    return found


def _is_table(lake: Lake, name: str) -> bool:
    return name.partition(".")[0] not in NOT_TABLES and bool(identity(lake, name))
