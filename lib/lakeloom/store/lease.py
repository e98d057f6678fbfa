"""The lock of a storage root in an object store: an object that its holder renews, and that ends without it.

A store has no locks that a system frees when a process dies. So whoever holds the object puts it anew every quarter
of `LEASE_S`, only over the version that it put last; one that nobody has renewed for twice that time is taken over.
A process that is gone from this very machine is known at once.

It keeps two runs from doing the same work. What is correct does not stand on it: intents and commits are created
under a condition of the store, so that of two runs that both believe to hold it one is told to look again.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import psutil

from lakeloom.core.errors import LakeloomError, RunError
from lakeloom.objects.base import TakenError
from lakeloom.objects.claim import claimed
from lakeloom.objects.path import ObjectPath

LEASE_S = 60.0
_POLL_S = 1.0


@contextmanager
def leased(place: ObjectPath, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the object at `place`.

    Raises
    ------
    RunError
        LL-RUN-002 where another process holds it to the end of the wait.
    """
    version = _taken(place, wait_s)
    held = _Held(place, version)
    held.start()
    try:
        yield
    finally:
        held.end()


class _Held:
    """A lease that is renewed until it ends."""

    def __init__(self, place: ObjectPath, version: str) -> None:
        self._place, self._version = place, version
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        with suppress(LakeloomError):  # it ends by itself
            found = self._place.store.head(self._place.key)
            if found is not None and found.version == self._version:
                self._place.unlink(missing_ok=True)

    def _renew(self) -> None:
        while not self._ended.wait(LEASE_S / 4):
            try:
                self._version = claimed(self._place.store, self._place.key, _said(), over=self._version)
            except TakenError:
                logging.getLogger("lakeloom").warning(
                    "another run has taken over %s, which was not renewed", self._place
                )
                return
            except LakeloomError:  # the store may be back before the lease ends
                continue


def _taken(place: ObjectPath, wait_s: float) -> str:
    deadline, told = time.monotonic() + wait_s, False
    while True:
        try:
            return _try(place)
        except TakenError:
            holder = _holder(place)
        if time.monotonic() >= deadline:
            raise RunError(
                "LL-RUN-002",
                f"another run holds {place.parent} (process {holder})",
                fix="wait for it, then run again; wait_s: in base.yml lets a run wait by itself",
                transient=True,
            )
        if not told:
            logging.getLogger("lakeloom").warning("waiting for process %s, which runs on %s", holder, place.parent)
            told = True
        time.sleep(_POLL_S)


def _try(place: ObjectPath) -> str:
    """Take the lease and return its version; raises TakenError where another holds it."""
    found = place.store.head(place.key)
    if found is None:
        return claimed(place.store, place.key, _said())
    stale = (datetime.now(UTC) - found.changed).total_seconds() > 2 * LEASE_S
    if stale or _gone(_read(place)):
        return claimed(place.store, place.key, _said(), over=found.version)
    raise TakenError(place.key)


def _said() -> bytes:
    own = psutil.Process()
    told = {"host": socket.gethostname(), "process": own.pid, "started": own.create_time(), "at": time.time()}
    return json.dumps(told).encode()


def _read(place: ObjectPath) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(place.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _gone(said: dict[str, Any]) -> bool:
    """Return whether the holder was a process of this machine that is no more."""
    if said.get("host") != socket.gethostname() or said.get("process") == os.getpid():
        return False
    try:
        return bool(abs(psutil.Process(said["process"]).create_time() - said["started"]) > 1)
    except (psutil.NoSuchProcess, KeyError):
        return True
    except psutil.Error:
        return False


def _holder(place: ObjectPath) -> str:
    said = _read(place)
    return f"{said['process']} on {said['host']}" if {"process", "host"} <= set(said) else "unknown"
