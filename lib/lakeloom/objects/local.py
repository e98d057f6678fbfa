"""Files of a mounted folder under an address (``file:///data/in/*.csv``), as any store's objects."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from lakeloom.objects.base import Check, Found, MovedError, StoreConfig
from lakeloom.objects.faults import absent, denied, unreachable


class Local:
    """The file system; a key is an absolute path without its first slash."""

    Config: ClassVar[type[StoreConfig]] = StoreConfig

    def __init__(self, bucket: str, config: StoreConfig) -> None:
        del config
        self._root = Path("/") / bucket

    def find(self, prefix: str) -> Iterator[Found]:
        """Yield the files under a prefix; see `lakeloom.objects.base.Store`."""
        whole = self._root / prefix
        folder = whole if prefix.endswith("/") else whole.parent
        if not folder.is_dir():
            raise absent(f"file://{folder}")
        for place, _, names in os.walk(folder):
            for name in sorted(names):
                path = Path(place) / name
                key = path.relative_to(self._root).as_posix()
                if key.startswith(prefix) and (found := _found(path, key)) is not None:
                    yield found

    def part(self, found: Found, start: int, end: int) -> bytes:
        """Return some bytes of a file; see `lakeloom.objects.base.Store`."""
        path = self._root / found.key
        try:
            with path.open("rb") as file:
                if _version(os.fstat(file.fileno())) != found.version:
                    raise MovedError(found.key)
                return os.pread(file.fileno(), end - start, start)
        except FileNotFoundError:
            raise MovedError(found.key) from None
        except PermissionError:
            raise denied(f"file://{path}") from None
        except OSError as cause:
            raise unreachable(f"file://{path}", cause) from None

    def check(self, found: Found) -> Check | None:
        """Return None: a file system knows no checksum."""

    def denies(self, found: Found) -> bool:
        """Return False: there is nothing to deny."""
        return False


def _found(path: Path, key: str) -> Found | None:
    try:
        about = path.stat()
    except OSError:  # gone since it was listed, or a link to nowhere
        return None
    if not stat.S_ISREG(about.st_mode):
        return None
    return Found(key, about.st_size, _version(about), datetime.fromtimestamp(about.st_mtime, UTC))


def _version(about: os.stat_result) -> str:
    return f"{about.st_ino}-{about.st_size}-{about.st_mtime_ns}"
