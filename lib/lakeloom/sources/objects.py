"""Objects of a store: what is new against the ledger, and how they come into the landing zone.

A poll lists and pins each new object with its version. Fetching copies exactly these, at these versions, under the
storage root, where the original bytes stay: ``landing/<source>/<2 signs>/<hash of address and version><ending>``. A
crash between the two finds again what was fetched. An object that is no longer the version that was pinned is left
to the next poll.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lakeloom.core.errors import SourceError
from lakeloom.objects.address import Address
from lakeloom.objects.base import Check, Found, MovedError
from lakeloom.objects.opened import Opening
from lakeloom.objects.transfer import Rate, fetch
from lakeloom.sources.landing import Batch
from lakeloom.sources.listing import Listed, is_text
from lakeloom.sources.spreading import spread

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Policy = Literal["add", "ignore", "fail"]
EXECUTORS_FROM_BYTES = 64 << 20
# A task opens the store anew, which takes as long as some objects.
_TASKS_A_SLOT = 4
_THREADS = 8
# A part of the ending says how the file is packed; what else a key may hold is no name for a file.
_ENDING = re.compile(r"(?:\.[A-Za-z0-9]{1,8}){1,2}$")
_SHOWN = 3


@dataclass(frozen=True)
class Place:
    """Where objects are, and where they are fetched to.

    Attributes
    ----------
    address : Address
    opening : Opening
        Of their store.
    root : Path
        The storage root.
    folder : str
        The source's landing zone below it.
    """

    address: Address
    opening: Opening
    root: Path
    folder: str

    def file(self, found: Found) -> str:
        """Return where an object's bytes lie, below the storage root."""
        name = hashlib.blake2b(f"{self.address.of(found.key)}\0{found.version}".encode(), digest_size=16).hexdigest()
        ending = _ENDING.search(found.key)
        return f"{self.folder}/{name[:2]}/{name}{ending.group() if ending else ''}"


def poll(
    place: Place, landed: Sequence[Batch], *, changed: Policy, vanished: Literal["ignore", "fail"]
) -> Batch | None:
    """Return the new objects with their versions, None where there are none.

    Parameters
    ----------
    changed : {'add', 'ignore', 'fail'}
        What becomes of an object that arrived before and is another one now.
    vanished : {'ignore', 'fail'}
        The same of one that is not there any more.

    Raises
    ------
    SourceError
        LL-SOURCE-001, LL-SOURCE-002 as the store says; LL-SOURCE-007 where the policy says fail.
    """
    address = place.address
    told = (each for batch in landed for each in batch.get("files", ()))
    known = {each["path"]: each["version"] for each in told if each.get("version") is not None}
    listed, refused = _listed(place)
    if refused and not listed:
        raise min(refused, key=lambda error: error.code)  # a folder that refuses rather than a name
    if not listed and not known and address.plain:
        raise SourceError("LL-SOURCE-001", f"there is no {address.of(address.pattern)}", fix="mend the path")
    names = {address.of(found.key): found for found in listed}
    other = [name for name, found in names.items() if known.get(name, found.version) != found.version]
    if changed == "fail":
        _refuse(other, "changed")
    if vanished == "fail":
        # What lies in a folder that refuses to be looked into has not vanished.
        unseen = tuple(error.where for error in refused)
        _refuse([name for name in known if name not in names and not name.startswith(unseen)], "vanished")
    new = [
        found
        for name, found in sorted(names.items())
        if name not in known or (changed == "add" and known[name] != found.version)
    ]
    if not new:
        return None
    told_of = {"refused": words({error.where: error for error in refused}, "place")} if refused else {}
    return told_of | {"objects": [_told(found) for found in new]}


@dataclass(frozen=True)
class Brought:
    """What came of a batch.

    Attributes
    ----------
    listed : list of Listed
        The objects that are in the landing zone.
    refused : list of str
        In words, what became of those that could not be had; they stay new, and are tried again by the next run.
    """

    listed: list[Listed]
    refused: list[str]


def bring(place: Place, batch: Batch, base: Path, spark: Callable[[], SparkSession]) -> Brought:
    """Fetch a batch's objects into the landing zone; one that is refused keeps no other from landing.

    Parameters
    ----------
    base : Path
        The project's home, which paths start at.

    Raises
    ------
    SourceError
        LL-SOURCE-001 (transient) where the line fails; LL-SOURCE-002, LL-SOURCE-006 where no object could be had.
    """
    found = listed(batch)
    missing = [each for each in found if not (place.root / place.file(each)).exists()]
    tasks = spread(missing, sum(each.size for each in missing), EXECUTORS_FROM_BYTES, _TASKS_A_SLOT, spark)
    if tasks is not None:
        slots = tasks.context.defaultParallelism
        without = dict(tasks.mapPartitions(lambda part: _fetched(place, part, slots)).collect())
    else:
        without = dict(_fetched(place, missing, 1))
    errors = {key: error for key, error in without.items() if error is not None}
    brought = [
        Listed(
            place.address.of(each.key), each.size, int(each.changed.timestamp() * 1e9), each.version,
            os.path.relpath(place.root / place.file(each), base.absolute()),
        )
        for each in found
        if each.key not in without
    ]  # fmt: skip
    if errors and not brought:
        raise next(iter(errors.values()))
    return Brought(brought, words(errors))


def listed(batch: Batch) -> list[Found]:
    """Return a batch's objects as they were listed."""
    return [_found(each) for each in batch["objects"]]


def words(errors: Mapping[str, SourceError], what: str = "object") -> list[str]:
    """Return what became of objects that could not be had, a line a code."""
    by_code: dict[str, list[SourceError]] = {}
    for error in errors.values():
        by_code.setdefault(error.code, []).append(error)
    return [
        f"{code}: {len(found):,} {what}{'s' if len(found) > 1 else ''} could not be had and will be tried again: "
        + "; ".join(error.message for error in found[:_SHOWN])
        + (" …" if len(found) > _SHOWN else "")
        for code, found in sorted(by_code.items())
    ]


def _listed(place: Place) -> tuple[list[Found], list[SourceError]]:
    """Return the objects that match, and what is to be said of folders and names that can't be read."""
    store, address = place.opening.open(), place.address
    found, refused = list[Found](), list[SourceError]()
    walk = getattr(store, "walk", None)
    for each in walk(address.prefix, address.enters) if walk is not None else store.find(address.prefix):
        if isinstance(each, SourceError):
            refused.append(each)
        elif address.matches(each.key):
            if is_text(each.key):
                found.append(each)
            else:  # which neither Spark nor a table can name
                shown = address.of(each.key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
                refused.append(SourceError("LL-SOURCE-004", f"{shown} has a name that is no UTF-8", where=shown))
    return found, refused


def _fetched(place: Place, found: Iterable[Found], beside: int) -> list[tuple[str, SourceError | None]]:
    """Fetch objects; return those that could not be had, with the error, or None where they are others by now."""
    store, limit = place.opening.open(), place.opening.config.bandwidth
    rate = Rate(limit // beside if limit else None)

    def one(each: Found) -> tuple[str, SourceError | None] | None:
        try:
            fetch(store, each, place.root / place.file(each), rate=rate)
        except MovedError:
            return each.key, None
        except SourceError as error:
            if error.transient:
                raise
            return each.key, error
        return None

    with ThreadPoolExecutor(_THREADS, "fetch") as pool:
        return [told for told in pool.map(one, found) if told is not None]


def _refuse(names: Sequence[str], what: str) -> None:
    if not names:
        return
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
    raise SourceError(
        "LL-SOURCE-007", f"{len(names):,} object{'s' if len(names) > 1 else ''} {what} after arrival: {shown}",
        fix=f"put it back, or say '{what}: ignore' in the source" + (" (or add)" if what == "changed" else ""),
    )  # fmt: skip


def _told(found: Found) -> dict[str, Any]:
    told = {"key": found.key, "size": found.size, "version": found.version, "changed": found.changed.isoformat()}
    return told | ({"check": asdict(found.check)} if found.check else {})


def _found(told: dict[str, Any]) -> Found:
    check = Check(**told["check"]) if "check" in told else None
    return Found(told["key"], told["size"], told["version"], datetime.fromisoformat(told["changed"]), check)
