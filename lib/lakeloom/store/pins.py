"""Which versions of tables somebody still needs, and who: what vacuum never takes away.

Pinned are the last good versions and those that a tag names, those that steps which have not finished
are to read, those that each step of the graph has read last, and those that the trained models'
datasets were made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial

from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.store import refs
from lakeloom.store.branches import branches
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake
from lakeloom.store.tags import tags

_TRAINED = ("models.", "tuning.")
Known = Callable[[str], str]  # table → its id


@dataclass(frozen=True)
class Pin:
    """Versions `first` to `last` of a table, and who needs them."""

    table: str
    first: int
    last: int
    by: str


def pins(lake: Lake, intents: Intents, steps: Mapping[str, Step]) -> list[Pin]:
    """Return all pins of a storage root.

    Parameters
    ----------
    steps : mapping
        Name → step of the project's graph: what a step read last that is no longer declared, pins nothing.
    """
    known = cache(partial(identity, lake))  # executions by the hundred have read the same few tables
    found = (
        _of_refs(lake, known), _of_branches(lake), _of_steps(lake, known, intents, steps), _of_models(known, intents),
    )  # fmt: skip
    return list(dict.fromkeys(pin for each in found for pin in each))


def _of_refs(lake: Lake, known: Known) -> Iterator[Pin]:
    for table, version in refs.good(lake).items():
        yield Pin(table, version, version, "last good version")
    for tag in tags(lake):
        for table, version in tag.tables.items():
            # The versions of a table that was dropped and made anew are not those that the tag means.
            if tag.ids.get(table) in (None, known(table)):
                yield Pin(table, version, version, f"tag {tag.name}")


def _of_branches(lake: Lake) -> Iterator[Pin]:
    """What a branch began with: a promote builds on main from these versions."""
    for branch in branches(lake.root):
        for table, version in branch.base.items():
            yield Pin(table, version, version, f"branch {branch.name}")


def _of_steps(lake: Lake, known: Known, intents: Intents, steps: Mapping[str, Step]) -> Iterator[Pin]:
    good = refs.good(lake)
    for name in intents.steps():
        latest = intents.latest(name)
        if latest is not None and latest.facts is None:
            for table, version in _read(known, latest.intent):
                yield Pin(table, version, version, f"{name}, which has not finished")
            if latest.intent.side is not None:
                side = str(TableName.parse(name).quarantine)
                yield Pin(side, latest.intent.side, latest.intent.side, f"{name}, which has not finished")
        last = intents.published(name) if name in steps else None
        if last is None:
            continue
        modes = {read.table: read.mode for read in steps[name].reads}
        for table, version in _read(known, last.intent):
            # The changes since then are read from the files of the versions between.
            newest = good.get(table, version) if modes.get(table) == "changes" else version
            yield Pin(table, version, max(version, newest), f"last input of {name}")


def _of_models(known: Known, intents: Intents) -> Iterator[Pin]:
    for name in intents.steps():
        if not name.startswith(_TRAINED):
            continue
        for record in intents.history(name):
            if record.facts is None:
                continue
            for table, version in _read(known, record.intent):
                by = f"{name} of run {record.intent.run}"
                yield Pin(table, version, version, by)
                yield from _inputs(known, intents, table, version, by)


def _inputs(known: Known, intents: Intents, dataset: str, version: int, by: str) -> Iterator[Pin]:
    made = intents.maker(dataset, version)
    for table, at in _read(known, made.intent) if made is not None else ():
        yield Pin(table, at, at, by)


def _read(known: Known, intent: Intent) -> list[tuple[str, int]]:
    """Return what an execution has read of tables that are still there: of one made anew the numbers mean others."""
    return [
        (table, version)
        for table, version in intent.reads.items()
        if not table.startswith(_TRAINED) and intent.ids.get(table, "") in ("", known(table))
    ]
