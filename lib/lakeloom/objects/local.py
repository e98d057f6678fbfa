"""Files of a mounted folder under an address (``file:///data/in/*.csv``), as any store's objects."""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from lakeloom.objects.base import Check, Found, MovedError, StoreConfig, TakenError
from lakeloom.objects.faults import absent, denied, unreachable, unwritable


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

    def put(self, key: str, content: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Put a file; see `lakeloom.objects.base.WritableStore`. A file system can't write over one version only."""
        if over is not None:
            raise NotImplementedError("a file system compares no versions")
        with self._drafted(key, new=new) as draft:
            draft.write_bytes(content)
        return _version((self._root / key).stat())

    def upload(self, key: str, file: Path) -> str:
        """Put a file's content; see `lakeloom.objects.base.WritableStore`."""
        with self._drafted(key) as draft:
            shutil.copyfile(file, draft)
        return _version((self._root / key).stat())

    def delete(self, key: str) -> None:
        """Take a file away; see `lakeloom.objects.base.WritableStore`."""
        with self._coded(key):
            (self._root / key).unlink(missing_ok=True)

    @contextmanager
    def _drafted(self, key: str, *, new: bool = False) -> Iterator[Path]:
        """Give a file beside the place, whose name no listing takes; what was written there gets the place's name."""
        path = self._root / key
        draft = path.with_name(f".{uuid.uuid4().hex}")
        with self._coded(key):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield draft
                with draft.open("rb+") as written:
                    os.fsync(written.fileno())
                if new:
                    os.link(draft, path)
                else:
                    draft.replace(path)
            except FileExistsError:
                raise TakenError(key) from None
            finally:
                draft.unlink(missing_ok=True)

    @contextmanager
    def _coded(self, key: str) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            raise denied(f"file://{self._root / key}") from None
        except OSError as cause:
            raise unwritable(f"file://{self._root / key}", cause) from None


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
