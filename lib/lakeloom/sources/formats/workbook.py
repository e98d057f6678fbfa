"""A workbook as a file: whether its packing can be read, is no bomb, not encrypted, and declares no entities."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from lakeloom.sources.packed import PackedError, budget_of

DAMAGED = "it is not Excel, or is damaged"
_OLE = b"\xd0\xcf\x11\xe0"
_CHUNK = 1 << 20
_HELD_BYTES = 128 << 20  # of the parts that are read as a whole: texts, styles, the list of sheets
_ENTITIES = (b"<!DOCTYPE", b"<!ENTITY", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))


def unreadable(path: str) -> str | None:
    """Return why a file is no workbook that could be read, by its packing alone."""
    with Path(path).open("rb") as file:
        begin = file.read(_CHUNK)
    if begin.startswith(_OLE):
        encrypted = "EncryptedPackage".encode("utf-16-le") in Path(path).read_bytes()
        return "it is encrypted" if encrypted else "it is a workbook of before 2007; save it as xlsx"
    budget, held = budget_of(Path(path).stat().st_size), 0
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                if part.flag_bits & 1:
                    return "it is encrypted"
                if not part.filename.startswith("xl/worksheets/"):
                    held += part.file_size if part.filename.endswith((".xml", ".rels")) else 0
                is_xml = part.filename.endswith((".xml", ".rels"))
                with archive.open(part) as stream:
                    last = b""
                    while chunk := stream.read(_CHUNK):
                        budget.spend(len(chunk))
                        if is_xml and any(each in last + chunk for each in _ENTITIES):
                            return "it declares entities, which are refused"
                        last = chunk[-32:]
    except PackedError as cause:
        return str(cause)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return DAMAGED
    return "its texts are too large to be held" if held > _HELD_BYTES else None
