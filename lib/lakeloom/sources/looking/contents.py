"""What a file holds, by its first bytes and its name: format, encoding and options of a source of kind files. Pure."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from xml.parsers import expat

from lakeloom.core.errors import SourceError
from lakeloom.sources.looking.delimited import delimited

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MAGIC = {b"PAR1": "parquet", b"ORC": "orc", b"Obj\x01": "avro"}
# Known, and not read: what to do instead.
_REFUSED = {
    b"SQLite format 3": ("a database of SQLite", "name it by its URL: jdbc:sqlite:FILE"),
    b"\xd0\xcf\x11\xe0": ("an office document", "export it as CSV"),
}
_WHOLE = frozenset(
    ("png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "pdf", "wav", "mp3", "ogg", "flac", "mp4", "mov", "bin")
)


@dataclass(frozen=True)
class Contents:
    """What a source of kind files says of how its files are written.

    Attributes
    ----------
    format : str
    options : dict
        Reader options that are not the default.
    encoding : str
        ``utf-8`` unless the bytes say otherwise.
    names : tuple of str
        Of CSV without a header, its columns.
    row_tag : str or None
        Of XML, the element that repeats.
    guessed : str
        What was decided without proof, in words; empty where nothing was.
    """

    format: str
    options: dict[str, str | bool] = field(default_factory=dict)
    encoding: str = "utf-8"
    names: tuple[str, ...] = ()
    row_tag: str | None = None
    guessed: str = ""

    def as_entry(self) -> dict[str, object]:
        """Return the keys of a source's entry, those that say nothing left out."""
        entry: dict[str, object] = {"format": self.format}
        entry |= {"options": dict(self.options)} if self.options else {}
        entry |= {"encoding": self.encoding} if self.encoding != "utf-8" else {}
        return entry | ({"row_tag": self.row_tag} if self.row_tag else {})


def contents(name: str, head: bytes) -> Contents:
    """Return what a file holds.

    Parameters
    ----------
    name : str
        Its name, without what it is packed by.
    head : bytes
        Its beginning, unpacked.

    Raises
    ------
    SourceError
        LL-SOURCE-008 where it is empty, of a format that is not read, or of none that can be told.
    """
    ending = name.rpartition(".")[2].lower()
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return Contents(kind)
    if head.startswith(b"PK\x03\x04") and ending in ("xlsx", "xlsm"):
        return Contents("xlsx")
    for magic, (kind, instead) in _REFUSED.items():
        if head.startswith(magic):
            raise SourceError("LL-SOURCE-008", f"{name} is {kind}, which kind files does not read", fix=instead)
    if ending in _WHOLE:
        return Contents("binary")
    if not head.strip():
        raise SourceError("LL-SOURCE-008", f"{name} is empty", fix="name one that holds something")
    text, encoding, guessed = _text(name, head)
    start = text.lstrip()
    if start[:1] == "<" and ending != "csv":
        return Contents("xml", row_tag=_row_tag(name, text), encoding=encoding, guessed=guessed)
    if start[:1] in ("{", "["):
        _want_lines(name, start)
        return Contents("json", encoding=encoding, guessed=guessed)
    found = delimited(text)
    if found is not None:
        names = () if found.header else found.names
        return Contents("csv", found.options, encoding, names, guessed=guessed)
    # One column: as CSV where the name says so.
    return Contents("csv" if ending in ("csv", "tsv") else "text", encoding=encoding, guessed=guessed)


def _text(name: str, head: bytes) -> tuple[str, str, str]:
    """Return the text, its encoding, and in words what was guessed."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return head.decode(encoding, "ignore").lstrip("\ufeff"), encoding, ""
    nothing = head.count(0)
    if nothing > len(head) // 4:
        little = head[1::2].count(0) >= nothing * 0.9
        encoding = "utf-16-le" if little else "utf-16-be"
        return head.decode(encoding, "ignore"), encoding, f"{encoding} by its zero bytes"
    if nothing or sum(byte < 9 or 13 < byte < 32 for byte in head) > len(head) // 100:
        raise SourceError(
            "LL-SOURCE-008", f"{name} is neither text nor of a format that is known by its first bytes",
            fix="describe it by hand in sources.yml; 'format: binary' lands files whole",
        )  # fmt: skip
    with suppress(UnicodeDecodeError):
        # A letter may be cut off at the end.
        return codecs.getincrementaldecoder("utf-8")().decode(head), "utf-8", ""
    encoding = "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", head) else "cp1252"
    return head.decode(encoding), encoding, f"{encoding}: the bytes are not UTF-8, and others of this family fit too"


def _want_lines(name: str, text: str) -> None:
    """Refuse JSON that is no line an object."""
    line = text.partition("\n")[0].strip()
    try:
        sound = isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        sound = False
    # A line that is longer than what was looked at is an object as well.
    if not sound and not (line[:1] == "{" and "\n" not in text and len(line) > 100_000):
        raise SourceError(
            "LL-SOURCE-008", f"{name} is JSON, but not an object a line",
            fix="write it as JSON lines: jq -c '.[]' FILE",
        )  # fmt: skip


def _row_tag(name: str, text: str) -> str:
    """Return the outermost element that repeats below one parent; of several the most frequent."""
    found: dict[int, Counter[str]] = {}
    depth = 0

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        found.setdefault(depth, Counter())[tag] += 1

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    # An entity that grows is not followed; what is cut off has told enough.
    with suppress(expat.ExpatError):
        parser.Parse(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).partition("<!ENTITY")[0], False)
    for level in sorted(found)[1:]:
        tag, count = found[level].most_common(1)[0]
        if count > 1 or level == max(found):
            return tag if count > 1 else next(iter(found[2]))
    raise SourceError("LL-SOURCE-008", f"{name} is XML without rows", fix="describe it by hand: row_tag says its rows")
