"""An object → a file: in parts, gone on with where it was ended, compared with what the store knows of its bytes.

Beside the file that is made lie, for as long as it takes, ``<name>.partial`` with the parts at their places and
``<name>.parts``, a line for each that is there. A process that is killed leaves both, and the next one fetches what
is missing. What was fetched of another version is thrown away. Only what agrees gets the file's name.
"""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakeloom.core.errors import LakeloomError, SourceError
from lakeloom.objects.base import Check, Found, Store

PART_BYTES = 8 << 20
_ATTEMPTS, _LONGEST_S = 5, 20.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Fetched:
    """What was fetched.

    Attributes
    ----------
    size : int
        In bytes.
    verified : str
        By what the bytes were compared with the store's: md5, crc32c, md5_of_parts; ``size`` where it knows no more.
    """

    size: int
    verified: str


class Rate:
    """At most so many bytes a second, over all threads that take of it.

    Parameters
    ----------
    bytes_s : int or None
        None is without a bound.
    """

    def __init__(
        self,
        bytes_s: int | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bytes_s, self._now, self._sleep = bytes_s, now, sleep
        self._free = now()
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Wait until `size` more bytes may come."""
        if not self._bytes_s:
            return
        with self._lock:
            start = max(self._free, self._now())
            self._free = start + size / self._bytes_s
        wait = start - self._now()
        if wait > 0:
            self._sleep(wait)


def fetch(
    store: Store,
    found: Found,
    target: Path,
    *,
    rate: Rate | None = None,
    threads: int = 4,
    part_bytes: int = PART_BYTES,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch an object into a file; a file that is there already is taken for it.

    Parameters
    ----------
    threads : int
        So many parts at a time.

    Raises
    ------
    MovedError
        Where the object is no longer the version that was listed.
    SourceError
        LL-SOURCE-001, LL-SOURCE-002 as the store says; LL-SOURCE-006 where its bytes are not those of its checksum.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    check = retried(lambda: store.check(found), sleep)
    if not target.exists():
        for last in (False, True):
            draft = _fetched(store, found, target, rate or Rate(None), threads, part_bytes, sleep)
            if check is not None and not _agrees(draft.partial, found, check) and store.denies(found):
                check = None
            if _agrees(draft.partial, found, check):
                draft.partial.replace(target)
                draft.parts.unlink(missing_ok=True)
                break
            draft.forget()
            if last:
                raise SourceError(
                    "LL-SOURCE-006", f"{found.key} came twice with other bytes than its {_word(check)} says",
                    where=found.key, fix="see what lies between: a proxy, a disk; put the object there anew",
                )  # fmt: skip
    return Fetched(found.size, _word(check))


@dataclass(frozen=True)
class _Draft:
    """What was fetched so far."""

    target: Path
    head: str

    @property
    def partial(self) -> Path:
        return self.target.with_name(f"{self.target.name}.partial")

    @property
    def parts(self) -> Path:
        return self.target.with_name(f"{self.target.name}.parts")

    def there(self) -> set[int]:
        """Return the numbers of the parts that are there, of this version in parts of this length."""
        try:
            head, *lines = self.parts.read_text(encoding="utf-8").split("\n")
        except OSError:
            lines, head = [], ""
        if head != self.head or not self.partial.exists():
            self.forget()
            self.parts.write_text(f"{self.head}\n", encoding="utf-8")
            self.partial.touch()
            return set()
        # The last line may have been cut off: what stands before a line's end counts.
        return {int(line) for line in lines[:-1] if line.isdigit()}

    def forget(self) -> None:
        self.partial.unlink(missing_ok=True)
        self.parts.unlink(missing_ok=True)


def _fetched(
    store: Store, found: Found, target: Path, rate: Rate, threads: int, part_bytes: int, sleep: Callable[[float], None]
) -> _Draft:
    draft = _Draft(target, f"{found.version} {found.size} {part_bytes}")
    there = draft.there()
    count = max(1, -(-found.size // part_bytes))
    missing = [number for number in range(count) if number not in there]
    lock = threading.Lock()
    with draft.partial.open("r+b") as file, draft.parts.open("a", encoding="utf-8") as parts:

        def bring(number: int) -> None:
            start, end = number * part_bytes, min(found.size, (number + 1) * part_bytes)
            rate.take(end - start)
            content = retried(lambda: _whole(store, found, start, end), sleep)
            os.pwrite(file.fileno(), content, start)
            with lock:
                parts.write(f"{number}\n")
                parts.flush()

        if len(missing) < 2 or threads < 2:
            for number in missing:
                bring(number)
        else:
            with ThreadPoolExecutor(threads, "part") as pool:
                for _ in pool.map(bring, missing):
                    pass
    return draft


def _whole(store: Store, found: Found, start: int, end: int) -> bytes:
    content = store.part(found, start, end)
    if len(content) != end - start:
        raise SourceError(
            "LL-SOURCE-001", f"{found.key} was cut off: {len(content):,} of {end - start:,} bytes", where=found.key,
            fix="see what lies between; it is fetched again by the next run", transient=True,
        )  # fmt: skip
    return content


def retried(work: Callable[[], Any], sleep: Callable[[float], None] = time.sleep) -> Any:
    """Do the work, again with longer and longer pauses while what stops it may pass; return what it returns."""
    for attempt in range(_ATTEMPTS):
        try:
            return work()
        except LakeloomError as error:
            if not error.transient or attempt == _ATTEMPTS - 1:
                raise
            # Not all of those that wait at the same moment.
            sleep(min(2.0**attempt, _LONGEST_S) * random.uniform(0.25, 0.5))  # noqa: S311  no secret
    raise AssertionError("unreachable")


def _word(check: Check | None) -> str:
    return check.kind if check else "size"


def _agrees(file: Path, found: Found, check: Check | None) -> bool:
    if file.stat().st_size != found.size:
        return False
    if check is None:
        return True
    return _sum(file, check) == check.value


def _sum(file: Path, check: Check) -> str:
    if check.kind == "md5_of_parts":
        whole, sums = hashlib.md5(usedforsecurity=False), file.stat().st_size
        with file.open("rb") as stream:
            for start in range(0, max(sums, 1), check.part_bytes):
                part, left = hashlib.md5(usedforsecurity=False), min(check.part_bytes, sums - start)
                while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
                    part.update(chunk)
                    left -= len(chunk)
                whole.update(part.digest())
        return whole.hexdigest()
    digest = _crc32c() if check.kind == "crc32c" else hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return bytes(digest.digest()).hex()


def _crc32c() -> Any:
    from google_crc32c import Checksum

    return Checksum()
