"""The project's lock: one run at a time on a storage root. The system frees it when a process dies.

In an object store it is a lease, see `lakeloom.store.lease`.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lakeloom.core.errors import RunError, StoreError
from lakeloom.objects.path import Location
from lakeloom.store.lease import leased

_POLL_S = 0.2


@contextmanager
def locked(root: Location, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the root's lock.

    Parameters
    ----------
    root : Path
        Made where it does not exist.
    wait_s : float
        How many seconds to wait for a process that holds it.

    Raises
    ------
    RunError
        LL-RUN-002 where another process holds it to the end of the wait.
    StoreError
        LL-STORE-004 where the root can't be written.
    """
    if not isinstance(root, Path):
        with leased(root / "lock", wait_s):
            yield
        return
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
        _take(stream, root.name, wait_s)
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _take(stream: IO[str], name: str, wait_s: float) -> None:
    deadline, told = time.monotonic() + wait_s, False
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "unknown"
            if time.monotonic() >= deadline:
                raise RunError(
                    "LL-RUN-002",
                    f"another run holds {name} (process {holder})",
                    fix="wait for it, then run again; wait_s: in base.yml lets a run wait by itself",
                    transient=True,
                ) from None
            if not told:
                logging.getLogger("lakeloom").warning("waiting for process %s, which runs on %s", holder, name)
                told = True
            time.sleep(_POLL_S)
        else:
            return
