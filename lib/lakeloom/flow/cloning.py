"""A table made of another one's version: under the root's lock, published, exactly once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.core.users import who
from lakeloom.flow.auditing import noted
from lakeloom.project.graph import steps as graph
from lakeloom.project.spec import Project
from lakeloom.store import refs
from lakeloom.store.clones import clone
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked


@dataclass(frozen=True)
class Cloned:
    """What a clone is: of which version, how many files it has, their bytes, and whether they were copied."""

    table: str
    source: str
    version: int
    files: int
    bytes: int
    full: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``clone --json``."""
        return asdict(self)


def clone_table(project: Project, source: TableName, version: int, target: TableName, *, full: bool = False) -> Cloned:
    """Make a table of the rows that `source` had at `version`, and publish it.

    The same call again finds what it has made, and publishes it where it was killed before it had.

    Raises
    ------
    StoreError
        LL-STORE-012 where the version was vacuumed, LL-STORE-018 where the name is taken or the table has a feature
        that a clone can't keep, LL-STORE-019 where files can't be shared.
    RunError
        LL-RUN-002 where a run holds the root.
    """
    lake = Lake(project.root)
    with locked(project.root, project.settings.wait_s):
        lake.require(source, version)
        writer = next((step.name for step in graph(project) if str(target) in step.writes), None)
        if writer is not None:
            raise StoreError(
                "LL-STORE-018", f"{target} is what the step {writer} writes", where=str(target), fix="take another name"
            )
        step = f"clone.{target}"
        told = {"step": step, "epoch": 1, "reads": {str(source): version}, "full_copy": full, "who": who()}
        if not lake.exists(target) or lake.version(target) > 0 or _made(lake, target) != told:
            clone(lake, source, version, target, told, full=full)
        if str(target) not in refs.good(lake):
            refs.publish(lake, {str(target): 0}, step=step, epoch=1, run="", at=datetime.now(UTC))
        noted(project.root)
    size = lake.size(target, 0)
    return Cloned(str(target), str(source), version, size.files, size.bytes, full)


def _made(lake: Lake, target: TableName) -> dict[str, Any]:
    return dict(lake.history(target)[-1]["manifest"])
