"""The ledger of files: what landed already, and what a newly seen file is against it. Pure logic.

The ledger is the files of all batches landed, in order. A file whose path, size and time are those
of its last entry is unchanged and none of its bytes are read. Equal content under another path, or
again under its own, is a duplicate: entered, not loaded. A file whose content changed lands anew,
also where it returns to an earlier content, since its rows are now the newest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lakeloom.sources.landing import Batch
from lakeloom.sources.listing import Listed

CHANGED = "it changed after it was listed; what it holds now lands by itself"
# How the problem of a file begins that a source's own policy lets nothing land beside.
REFUSED_BY_POLICY = "LL-SOURCE-011: "


@dataclass(frozen=True)
class FileEntry:
    """One file of a batch.

    Attributes
    ----------
    path : str
        As `lakeloom.sources.listing.ledger_path` names it.
    size, mtime_ns : int
        Bytes on disk, and time of change when it was inspected.
    content : str
        Hex id of the (decompressed) bytes.
    header : tuple of str or None
        The columns that it holds; None where it could not be read.
    problem : str or None
        Why it can't be loaded; it then goes to quarantine whole.
    duplicate_of : str or None
        The path whose content it repeats; it then is not loaded.
    version, at : str or None
        Of an object that was fetched, or what was unpacked: what its store says, and where its bytes lie.
    packed : bool
        Whether it is packed: what it holds lands under names of its own, or under its own when it was unpacked.
    plain : bool
        Whether its records can be cut without a parser, see `lakeloom.sources.formats.separated`.
    """

    path: str
    size: int
    mtime_ns: int
    content: str
    header: tuple[str, ...] | None = None
    problem: str | None = None
    duplicate_of: str | None = None
    version: str | None = None
    at: str | None = None
    packed: bool = False
    plain: bool = False

    @property
    def place(self) -> str:
        """Where its bytes lie, as a path that `lakeloom.sources.listing.full_path` takes."""
        return self.at or self.path

    @property
    def loadable(self) -> bool:
        """Whether its rows are to be read."""
        return self.problem is None and self.duplicate_of is None and not self.packed

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as it stands in a batch."""
        told = asdict(self) | {"header": None if self.header is None else list(self.header)}
        return {
            name: value for name, value in told.items() if name not in ("version", "at", "packed", "plain") or value
        }


def passed_over(entry: FileEntry) -> FileEntry:
    """Return an entry of what changed before it was read; without a version, so that the next poll finds it new."""
    return replace(entry, problem=CHANGED, version=None, at=None)


def again(before: Sequence[FileEntry], here: Mapping[str, FileEntry]) -> list[FileEntry]:
    """Return entries at their places as they are `here`, by path; passed over where the content is another one."""
    same = ((entry, here.get(entry.path)) for entry in before)
    return [now if now is not None and now.content == entry.content else passed_over(entry) for entry, now in same]


def entries(batch: Batch) -> list[FileEntry]:
    """Return the files of a batch."""
    return [
        FileEntry(**(each | {"header": None if each.get("header") is None else tuple(each["header"])}))
        for each in batch.get("files", [])
    ]


def fresh(listed: Iterable[Listed], landed: Sequence[Batch]) -> list[Listed]:
    """Return the files that are new or changed since their last entry."""
    # As it stands there: making an entry of each would take longer than the rest of a poll.
    last = {each["path"]: (each["size"], each["mtime_ns"]) for batch in landed for each in batch.get("files", ())}
    return [each for each in listed if last.get(each.path) != (each.size, each.mtime_ns)]


def mark_duplicates(new: Sequence[FileEntry], landed: Sequence[Batch]) -> list[FileEntry]:
    """Return `new` with `FileEntry.duplicate_of` set where the content has landed, or comes twice."""
    current: dict[str, FileEntry] = {}  # path → its last readable entry
    loaded: dict[str, dict[str, str]] = {}  # content → the paths that were loaded with it
    for batch in landed:
        for entry in entries(batch):
            if entry.problem is None:
                current[entry.path] = entry
                if entry.loadable:
                    loaded.setdefault(entry.content, {})[entry.path] = entry.path
    marked = []
    for entry in new:
        if entry.problem is None:
            entry = replace(entry, duplicate_of=_original(entry, current, loaded))
            current[entry.path] = entry
            if entry.loadable:
                loaded.setdefault(entry.content, {})[entry.path] = entry.path
        marked.append(entry)
    return marked


def mark_strangers(new: Sequence[FileEntry], landed: Sequence[Batch], declared: Iterable[str] = ()) -> list[FileEntry]:
    """Return `new` with a problem on files that share no column with any that landed: their header is missing."""
    loaded = [entry for batch in landed for entry in entries(batch) if entry.loadable]
    known = {name.strip().lower() for entry in loaded for name in entry.header or ()}
    if not known:
        return list(new)
    known |= {name.lower() for name in declared}
    problem = "its first line shares no column with the files before; is its header missing?"
    return [
        replace(entry, problem=problem)
        if entry.loadable and known.isdisjoint(name.strip().lower() for name in entry.header or ())
        else entry
        for entry in new
    ]


def _original(entry: FileEntry, current: dict[str, FileEntry], loaded: dict[str, dict[str, str]]) -> str | None:
    before = current.get(entry.path)
    if before is not None and before.content == entry.content:
        return before.duplicate_of or before.path
    return next((path for path in loaded.get(entry.content, {}) if path != entry.path), None)
