"""Servers that tests start on loopback, object stores and a proxy: installed once from a lock into the user's cache.

S3's emulator moto comes from PyPI; Azurite (Azure) needs npm, fake-gcs-server (Google) and versitygw (S3, which
compares checksums, as moto does not) need Go, and so does Toxiproxy, by which lines to them are broken. Where such a
tool is not there, the program is None.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from stages.apart import interpreter
from stages.places import Places
from stages.stamp import key

_LIMIT_S = 1500


def moto(places: Places) -> Path:
    """Return the Python that has moto's server."""
    return interpreter(places, "moto")


def azurite(places: Places) -> Path | None:
    """Return Azurite's program for blobs; None without npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    pinned = places.environment / "emulators" / "azurite"

    def make(home: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, home / name)
        words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(words, cwd=home, check=True, timeout=_LIMIT_S)

    home = _once(places, "azurite", pinned / "package-lock.json", make)
    return home / "node_modules" / ".bin" / "azurite-blob"


def fake_gcs_server(places: Places) -> Path | None:
    """Return Google Cloud Storage's emulator; None without Go."""
    return _by_go(places, "github.com/fsouza/fake-gcs-server", "fake-gcs-server")


def versitygw(places: Places) -> Path | None:
    """Return the S3 gateway over a folder; None without Go."""
    return _by_go(places, "github.com/versity/versitygw/cmd/versitygw", "versitygw")


def toxiproxy(places: Places) -> Path | None:
    """Return the proxy whose lines can be slowed, cut and broken off; None without Go."""
    return _by_go(places, "github.com/Shopify/toxiproxy/v2/cmd/server", "toxiproxy", "toxiproxy")


def _by_go(places: Places, package: str, program: str, module: str = "go") -> Path | None:
    go = shutil.which("go")
    if go is None:
        return None
    pinned = places.environment / "emulators" / module

    def make(home: Path) -> None:
        # go.sum has the hash of every module; what does not agree is not built.
        words = [go, "build", "-mod=readonly", "-trimpath", "-o", str(home / program), package]
        subprocess.run(words, cwd=pinned, check=True, timeout=_LIMIT_S, env=os.environ | {"CGO_ENABLED": "0"})

    return _once(places, program, pinned / "go.sum", make) / program


def _once(places: Places, name: str, lock: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder of a server, made once for each content of its lock."""
    home = places.cache / name / key(lock)[:16]
    home.mkdir(parents=True, exist_ok=True)
    ready = home / "ready"
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # a second one waits, then finds it done
        if not ready.exists():
            make(home)
            ready.touch()
    return home
