"""The project's lock: one run at a time on a storage root. The system frees it when a process dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakeloom.core.errors import RunError, StoreError


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the root's lock; raises LL-RUN-002 where another process holds it, LL-STORE-004."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        stream = (root / "lock").open("a+", encoding="utf-8")
    except OSError as cause:
        raise StoreError(
            "LL-STORE-004",
            f"the storage root can't be written ({cause.strerror})",
            where=str(root),
            fix="mend its rights",
        ) from cause
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "unknown"
            raise RunError(
                "LL-RUN-002",
                f"another run holds {root.name} (process {holder})",
                fix="wait for it, then run again",
                transient=True,
            ) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
