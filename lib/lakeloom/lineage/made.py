"""What was written: which version of a table was made by which execution, of what, and how its columns flow.

Nothing is kept twice: the flows lie under ``<root>/lineage/<hash of their content>.json``, of which there are as
many as there were different ones, and an execution's facts and the commit's manifest hold the hash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lakeloom.core.secrets import mask
from lakeloom.lineage.flows import Flows
from lakeloom.lineage.prints import Prints
from lakeloom.objects.path import Location
from lakeloom.store.intents import Intents, Record, replace


@dataclass(frozen=True)
class Made:
    """One version of a table (or model, or study), as an execution of a step made it.

    Attributes
    ----------
    reads : dict
        Table → the version that was read.
    key : str
        Of the flows; empty where an older release or a replay of quarantined rows noted none.
    """

    table: str
    version: int
    step: str
    epoch: int
    run: str
    reads: dict[str, int] = field(compare=False)
    key: str = ""


def keep(root: Location, told: Flows | Prints) -> str:
    """Keep flows, or the hashes of what makes a table, under the hash of their content, and return it."""
    file = _file(root, told.key)
    if not file.exists():
        replace(file, mask(json.dumps(told.as_dict())))
    return told.key


def read_kept(root: Location, key: str) -> str | None:
    """Return the text that was kept under a hash, None where it is not there."""
    try:
        return _file(root, key).read_text(encoding="utf-8")
    except OSError:
        return None


class Kept:
    """The flows under a storage root, each read once."""

    def __init__(self, root: Location) -> None:
        self._root, self._read = root, dict[str, Flows | None]()

    def of(self, key: str) -> Flows | None:
        """Return the flows of a hash; None where they are not there or damaged."""
        if key not in self._read:
            self._read[key] = self._load(key) if key else None
        return self._read[key]

    def _load(self, key: str) -> Flows | None:
        try:
            return Flows.of(json.loads(_file(self._root, key).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None


class Executions:
    """What the steps of a storage root have made, newest first, read as far as it is asked for.

    Parameters
    ----------
    root : Path
    steps : iterable of str, optional
        The steps that count, all that were ever run by default.
    """

    def __init__(self, root: Location, steps: Iterable[str] | None = None) -> None:
        self._intents = Intents(root)
        self._steps = sorted(self._intents.steps() if steps is None else steps)
        self._seen: dict[str, list[Made]] = {}

    @cached_property
    def newest(self) -> dict[str, Made]:
        """Table → how its newest version was made."""
        found: dict[str, Made] = {}
        for step in self._steps:
            record = self._last(step)
            for made in _made(record) if record else ():
                if made.table not in found or made.run > found[made.table].run:
                    found[made.table] = made
        return found

    def producing(self, table: str, version: int, run: str | None = None) -> Made | None:
        """Return how a version of a table was made.

        Parameters
        ----------
        run : str, optional
            The run that read it. Of a table that was dropped and made anew, versions stand twice: what a run has
            read was made by that run or before it.
        """
        for made in self._of_table(table):
            if made.version <= version and (run is None or made.run <= run):
                return made
        return None

    def readers(self, made: Made) -> Iterator[Made]:
        """Yield what was made of this version, newest first."""
        for step in self._steps:
            for other in self._of_step(step):
                if other.run < made.run:
                    break
                version = other.reads.get(made.table)
                if version is not None and self.producing(made.table, version, other.run) == made:
                    yield other

    def _of_table(self, table: str) -> Iterable[Made]:
        step = self.newest[table].step if table in self.newest else None
        return [made for made in self._of_step(step) if made.table == table] if step else []

    def _of_step(self, step: str) -> list[Made]:
        if step not in self._seen:
            records = reversed(self._intents.history(step))
            self._seen[step] = [made for record in records if _tells(record) for made in _made(record)]
        return self._seen[step]

    def _last(self, step: str) -> Record | None:
        """Return a step's newest execution that tells what it made of its inputs."""
        limit = 1
        while True:
            records = self._intents.newest(step, limit)
            found = next((record for record in reversed(records) if _tells(record)), None)
            if found is not None or len(records) < limit:
                return found
            limit *= 4


def _tells(record: Record) -> bool:
    # A replay puts single rows into a table that was made by an ordinary execution.
    told = record.facts is not None and "versions" in record.facts
    return told and not record.intent.replay and not record.intent.step.startswith("upkeep.")


def _made(record: Record) -> list[Made]:
    facts, intent = record.facts or {}, record.intent
    keys = facts.get("lineage") or {}
    return [
        Made(table, version, intent.step, intent.epoch, intent.run, intent.reads, keys.get(table, ""))
        for table, version in facts["versions"].items()
    ]


def _file(root: Location, key: str) -> Location:
    return root / "lineage" / f"{key}.json"
