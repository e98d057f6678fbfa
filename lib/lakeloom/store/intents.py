"""Intents: what one execution of a step is about to do, written before it starts.

``<root>/intents/<step>/<epoch>.json`` is created exclusively; ``<epoch>.done.json`` holds the facts
once the step has published. A crash leaves an intent without facts, and the next run replays that
very intent: same inputs, same files, same clock, same seed. Both files appear whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.secrets import mask
from lakeloom.core.steps import Facts
from lakeloom.objects.path import Location, ObjectPath
from lakeloom.store.listing import Listing, listed, names_at
from lakeloom.store.texts import Texts


@dataclass(frozen=True)
class Intent:
    """What one execution of a step is about to do.

    Attributes
    ----------
    step : str
    epoch : int
        Counts the executions of the step, from 1.
    run : str
        The run that wrote the intent; a replay by a later run keeps it.
    clock : str
        ISO time in UTC: what the step takes as now.
    seed : int
    code : str
        Hash of the step's configuration and code.
    full : bool
        True where the table is built anew instead of being added to.
    reads : dict
        Table → pinned version.
    since : dict
        Table → epoch of its last landing that was consumed before, for inputs read as ``new``.
    batch : dict
        The source's file list or offsets, for a landing.
    again : str
        SQL condition on bronze: rows that were consumed before and are read again, for ``--from`` and ``--to``.
    within : str
        SQL condition on the rows that are made: only those are written, for a backfill by event time.
    made : str
        Hash of what the rows are made by: the code without the table's rules.
    side : int or None
        The version of the table's quarantine whose fixes and decisions hold; None where there is none.
    ids : dict
        Table → Delta's id of it: the same number of a table that was dropped and made anew is another version.
    replay : dict
        Which quarantined rows are run again, as `lakeloom.flow.choice.Choice`; empty for an ordinary execution.
    breaking : bool
        Whether it may break the contract of what is published.
    """

    step: str
    epoch: int
    run: str
    clock: str
    seed: int
    code: str
    full: bool = False
    reads: dict[str, int] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    batch: dict[str, Any] = field(default_factory=dict)
    again: str = ""
    within: str = ""
    made: str = ""
    side: int | None = None
    replay: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    breaking: bool = False


@dataclass(frozen=True)
class Record:
    """An intent; its facts once it has published, or the error with which it failed cleanly.

    Neither of the two: it crashed, and the next run replays it. A clean failure is not replayed: the
    next run looks anew at what there is, since the cause may have been mended.
    """

    intent: Intent
    facts: Facts | None
    failed: dict[str, Any] | None = None

    @property
    def crashed(self) -> bool:
        """True where the execution neither published nor failed cleanly."""
        return self.facts is None and self.failed is None


def folder_of(place: Location) -> Path:
    """Return a place that must be a folder, since links are made in it; raises LL-STORE-019 for an object store."""
    if isinstance(place, ObjectPath):
        raise StoreError(
            "LL-STORE-019",
            "files can't be shared in an object store, where nothing can be linked",
            where=str(place),
            fix="copy a table with 'lakeloom clone --full', or keep the root on a file system with hard links",
        )
    return place


class Intents:
    """The intents under a storage root."""

    def __init__(self, root: Location) -> None:
        self.folder = root / "intents"
        self._texts = Texts()

    def history(self, step: str) -> list[Record]:
        """Return the step's records, oldest first."""
        return self._records(step)

    def batches(self, step: str) -> list[dict[str, Any]]:
        """Return the batches that the step has landed, oldest first; replays of quarantined rows land none.

        They stand in the facts, so that only one of an execution's two files is read: of a ledger of 100,000 files
        reading is what takes the time.
        """
        found, (folder, there) = [], self._listed(step)
        ended = [epoch for epoch in _epochs(there) if f"{epoch}.done.json" in there]
        told = self._texts.of(folder, there, [f"{epoch}.done.json" for epoch in ended])
        for epoch in ended:
            batch = _parsed(told[f"{epoch}.done.json"], folder / f"{epoch}.done.json").get("batch")
            if not batch:
                (record,) = self._made(folder, there, [epoch])
                batch = record.intent.batch if not record.intent.replay else None
            if batch is not None:
                found.append(batch)
        return found

    def ended(self, step: str) -> list[tuple[Record, datetime]]:
        """Return the step's records that published or failed cleanly, each with when that was written; oldest first."""
        folder, there = self._listed(step)
        at = {}
        for epoch in _epochs(there):
            end = next((there[name] for name in _ends(epoch) if name in there), None)
            if end is not None:
                at[epoch] = datetime.fromtimestamp(end.changed_s, UTC)
        return list(zip(self._made(folder, there, list(at)), at.values(), strict=True))

    def newest(self, step: str, limit: int) -> list[Record]:
        """Return the step's `limit` newest records, oldest first."""
        return self._records(step, lambda epochs: epochs[-limit:])

    def after(self, step: str, epoch: int) -> list[Record]:
        """Return the step's records of later epochs than `epoch`, oldest first."""
        return self._records(step, lambda epochs: [each for each in epochs if int(each) > epoch])

    def latest(self, step: str) -> Record | None:
        """Return the step's newest record."""
        return next(iter(self.newest(step, 1)), None)

    def begin(self, intent: Intent) -> None:
        """Write the intent; raises LL-STORE-006 where another run has written that epoch."""
        file = self._of(intent.step) / f"{intent.epoch:08d}.json"
        write_once(file, json.dumps(asdict(intent), indent=1, sort_keys=True))

    def finish(self, intent: Intent, facts: Facts) -> None:
        """Write the facts of an intent that has published; writing them again changes nothing."""
        file = self._of(intent.step) / f"{intent.epoch:08d}.done.json"
        if not file.is_file():
            replace(file, mask(json.dumps(facts, indent=1, default=str)))

    def fail(self, intent: Intent, error: dict[str, Any]) -> None:
        """Note that an execution failed cleanly, with its error."""
        replace(self._of(intent.step) / f"{intent.epoch:08d}.failed.json", mask(json.dumps(error, indent=1)))

    def published(self, step: str) -> Record | None:
        """Return the step's newest record that has facts."""
        folder, there = self._listed(step)
        newest = [epoch for epoch in _epochs(there) if f"{epoch}.done.json" in there][-1:]
        return next(iter(self._made(folder, there, newest)), None)

    def maker(self, table: str, version: int) -> Record | None:
        """Return the execution that made the rows of a version: what upkeep has put together has those before it."""
        made = [
            (record.facts.get("versions", {}).get(table, -1), place, record)
            for place, record in enumerate(self.history(table))
            if record.facts is not None
        ]
        found = [each for each in made if 0 <= each[0] <= version]
        return max(found, key=lambda each: each[:2])[2] if found else None

    def steps(self) -> list[str]:
        """Return the names of all steps that have an intent."""
        return sorted(names_at(self.folder))

    def share(self, step: str, other: Intents) -> int | None:
        """Give another root the step's executions that have published; return the last one's epoch, None for none.

        The files are never written in place, so they are shared by hard links; raises LL-STORE-019 in an object store.
        """
        last, source, target = None, folder_of(self._of(step)), folder_of(other._of(step))
        there = set(names_at(source))
        for epoch in _epochs(there):
            if f"{epoch}.done.json" in there:
                target.mkdir(parents=True, exist_ok=True)
                for name in (f"{epoch}.json", f"{epoch}.done.json"):
                    os.link(source / name, target / name)
                last = int(epoch)
        return last

    def _records(self, step: str, wanted: Callable[[list[str]], list[str]] = list) -> list[Record]:
        folder, there = self._listed(step)
        return self._made(folder, there, wanted(_epochs(there)))

    def _listed(self, step: str) -> tuple[Location, Listing]:
        """Return the step's folder and the files in it: which executions there are, and how each has ended."""
        folder = self._of(step)
        return folder, listed(folder)

    def _of(self, step: str) -> Location:
        if not re.fullmatch(r"[A-Za-z0-9_.]+", step) or step.startswith("."):
            raise StoreError("LL-STORE-003", f"'{step}' can't be a step's name", fix="use letters, digits, dots")
        return self.folder / step

    def _made(self, folder: Location, there: Listing, epochs: Sequence[str]) -> list[Record]:
        """Return the records of these epochs, by what lies there."""
        told = self._texts.of(
            folder, there, [name for epoch in epochs for name in (f"{epoch}.json", *_ends(epoch)) if name in there]
        )

        def end(name: str) -> dict[str, Any] | None:
            return json.loads(told[name]) if name in told else None

        found = []
        for epoch in epochs:
            done, failed = _ends(epoch)
            try:
                found.append(Record(Intent(**json.loads(told[f"{epoch}.json"])), end(done), end(failed)))
            except (ValueError, TypeError) as cause:
                raise StoreError(
                    "LL-STORE-005", f"the intent {epoch}.json of {folder.name} is damaged",
                    where=str(folder / f"{epoch}.json"),
                ) from cause  # fmt: skip
        return found


def _epochs(names: Iterable[str]) -> list[str]:
    """Return the epochs that have an intent among files, oldest first."""
    return sorted(name.removesuffix(".json") for name in names if re.fullmatch(r"\d{8}\.json", name))


def _ends(epoch: str) -> tuple[str, str]:
    return f"{epoch}.done.json", f"{epoch}.failed.json"


def _parsed(text: bytes, file: Location) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as cause:
        raise StoreError(
            "LL-STORE-005", f"the record {file.name} of {file.parent.name} is damaged", where=str(file)
        ) from cause
    return found


def write_once(file: Location, text: str) -> None:
    """Create `file` with `text`, whole or not at all; raises LL-STORE-006 where it exists, LL-STORE-004."""
    try:
        if isinstance(file, Path):
            draft = _draft(file, text)
            try:
                os.link(draft, file)
            finally:
                draft.unlink()
        else:
            file.create_text(text)
    except FileExistsError:
        raise StoreError(
            "LL-STORE-006",
            f"{file.stem} of {file.parent.name} exists already",
            fix="wait for the other run, then run again",
            transient=True,
        ) from None


def replace(file: Location, text: str) -> None:
    """Put `text` into `file`, whole or not at all, over what stood there."""
    if isinstance(file, Path):
        _draft(file, text).replace(file)
    else:
        file.write_text(text)


def _draft(file: Path, text: str) -> Path:
    draft = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as cause:
        raise StoreError(
            "LL-STORE-004",
            f"the storage root can't be written ({cause.strerror})",
            where=str(file.parent),
            fix="free the disk or mend the rights",
        ) from cause
    return draft
