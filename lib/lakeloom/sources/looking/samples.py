"""A few files of a source, or their beginnings, in a folder of their own, to be read as the source would be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lakeloom.core.errors import SourceError
from lakeloom.sources.looking.contents import Contents, contents
from lakeloom.sources.looking.delimited import delimited
from lakeloom.sources.looking.groups import Group
from lakeloom.sources.looking.places import Entry, Place
from lakeloom.sources.packed import PackedError, beginning

FILES = 4
HEAD_BYTES = 2 << 20
# What can't be read in part is fetched whole, up to so much.
WHOLE_BYTES = 256 << 20
_SNIFFED = 256 << 10
_LINES = ("csv", "json", "text", "fixed")


@dataclass(frozen=True)
class Sampled:
    """A sample of a source's files.

    Attributes
    ----------
    folder : Path
        Where it lies, in UTF-8.
    contents : Contents
        How the files are written.
    alike : tuple
        What files must have in common to be one source: format, options and columns; empty where unknown.
    """

    folder: Path
    contents: Contents
    alike: tuple[object, ...]


def sampled(place: Place, group: Group, folder: Path) -> Sampled:
    """Fetch and unpack a few files of a group.

    Raises
    ------
    SourceError
        LL-SOURCE-001, LL-SOURCE-002 where they can't be had; LL-SOURCE-008 where they are empty, damaged or of a format
        that is not read.
    """
    folder.mkdir(parents=True)
    (folder / "sample").mkdir()
    chosen = _chosen(group)
    if not chosen:
        raise SourceError("LL-SOURCE-008", f"all files of {group.pattern} are empty", fix="look when there are rows")
    first: Contents | None = None
    alike: tuple[object, ...] = ()
    encodings: dict[str, str] = {}
    for at, entry in enumerate(chosen):
        raw = folder / f"{at:02d}-{Path(entry.name).name}"
        whole = place.fetch(entry, raw, HEAD_BYTES)
        name, head = _beginning(place, entry, raw, whole)
        found = contents(name, head[:_SNIFFED])
        if not head.isascii() or found.encoding != "utf-8":
            encodings[found.encoding] = found.guessed
        if first is None:
            first = found
            columns = delimited(head[:_SNIFFED].decode(found.encoding, "ignore")) if found.format == "csv" else None
            alike = (found, columns.names) if columns is not None and columns.header else ()
        if found.format != first.format:
            raise SourceError(
                "LL-SOURCE-008", f"{group.pattern} holds {first.format} and {found.format}; a source is of one format",
                fix="name one kind of file, such as FOLDER/*.csv",
            )  # fmt: skip
        to = folder / "sample" / f"{at:02d}.{found.format}"
        if found.format in _LINES:
            _write_lines(head, found.encoding, to)
        else:
            if at and entry.size > HEAD_BYTES:
                continue  # one large file is enough
            _want_whole(place, entry, raw, to)
    assert first is not None  # there is at least one
    if len(encodings) > 1:
        raise SourceError(
            "LL-SOURCE-008", f"{group.pattern} holds {' and '.join(sorted(encodings))}; a source has one encoding",
            fix="name files of one encoding, or write them all in UTF-8",
        )  # fmt: skip
    for encoding, guessed in encodings.items():  # letters of ASCII alone are the same in all of them
        first = replace(first, encoding=encoding, guessed=guessed)
    return Sampled(folder / "sample", first, alike)


def _chosen(group: Group) -> list[Entry]:
    """Return the first, the last and some between; of what is read whole the smallest come first."""
    filled = [entry for entry in group.entries if entry.size]
    if len(filled) > FILES:
        step = (len(filled) - 1) / (FILES - 1)
        filled = [filled[round(at * step)] for at in range(FILES)]
    return filled


def _beginning(place: Place, entry: Entry, raw: Path, whole: bool) -> tuple[str, bytes]:
    try:
        return beginning(raw, HEAD_BYTES)
    except PackedError as cause:
        if not whole and entry.size <= WHOLE_BYTES:  # its index stands at the end
            place.fetch(entry, raw, WHOLE_BYTES)
            return _beginning(place, entry, raw, True)
        raise SourceError(
            "LL-SOURCE-008", f"{entry.name} can't be unpacked: {cause}", fix="mend it, or name others"
        ) from None


def _write_lines(head: bytes, encoding: str, to: Path) -> None:
    """Write whole lines in UTF-8."""
    text = head.decode(encoding, "ignore").lstrip("\ufeff")
    if len(head) >= HEAD_BYTES and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    to.write_text(text, encoding="utf-8", newline="")


def _want_whole(place: Place, entry: Entry, raw: Path, to: Path) -> None:
    if not place.fetch(entry, raw, WHOLE_BYTES):
        raise SourceError(
            "LL-SOURCE-008", f"{entry.name} is read whole or not at all, and has more than {WHOLE_BYTES >> 20} MiB",
            fix="look at a smaller file of the same kind, then mend 'path'",
        )  # fmt: skip
    _, content = beginning(raw, WHOLE_BYTES)
    to.write_bytes(content)
