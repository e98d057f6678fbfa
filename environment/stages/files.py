"""Files that are whole or absent: checksums, and writing by rename."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path


def digest(path: Path) -> str:
    """Return the file's sha256, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def matches(path: Path, sha256: str) -> bool:
    """Return whether `path` is a file with exactly this content."""
    return path.is_file() and digest(path) == sha256


def place(source: Path, target: Path) -> None:
    """Copy `source` to `target` so that a kill at any moment leaves the old file or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Write a small text file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
