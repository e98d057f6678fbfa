"""Horovod, compiled from its source distribution: torch only, Gloo only, as C++17.

Built in the environment itself, against the very torch it will be loaded with, and kept as a wheel
in the user's cache: one a version of Horovod, Python, torch, C library, machine and recipe.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from stages.files import digest, matches, place, write
from stages.locks import pins
from stages.places import Places
from stages.progress import Progress
from stages.stamp import key

SETTINGS = {
    "HOROVOD_WITH_PYTORCH": "1",
    "HOROVOD_WITHOUT_TENSORFLOW": "1",
    "HOROVOD_WITHOUT_MXNET": "1",
    "HOROVOD_WITHOUT_MPI": "1",
    "HOROVOD_WITH_GLOO": "1",
    "HOROVOD_CPU_OPERATIONS": "GLOO",
}


def wheel_folder(places: Places) -> Path:
    """Return the cache folder of the wheel that fits this machine and the locks."""
    environment = places.environment
    version = pins((environment / "horovod.lock").read_text(encoding="utf-8"))["horovod"]
    torch = pins((environment / "requirements.lock").read_text(encoding="utf-8"))["torch"]
    recipe = key(environment / "horovod.lock", environment / "g++17", repr(sorted(SETTINGS.items())))[:8]
    parts = [f"horovod-{version}", sys.implementation.cache_tag, f"torch{torch}", "-".join(platform.libc_ver())]
    return places.cache / "wheels" / "-".join([*parts, platform.machine(), recipe])


def cached(folder: Path) -> Path | None:
    """Return the cached wheel, if it is there and as it was built; a damaged one counts as absent."""
    for note in sorted(folder.glob("*.whl.sha256")):
        wheel = note.with_suffix("")
        if matches(wheel, note.read_text(encoding="utf-8").strip()):
            return wheel
    return None


def build(places: Places, progress: Progress) -> Path:
    """Compile Horovod (2 to 5 minutes on 2 cores) and return its wheel in the cache."""
    folder = wheel_folder(places)
    with tempfile.TemporaryDirectory(prefix="lakeloom-horovod-") as made:
        env = dict(os.environ) | SETTINGS
        env |= {
            "CXX": str(places.environment / "g++17"),
            "PATH": f"{places.venv / 'bin'}{os.pathsep}{env.get('PATH', '')}",
            "MAKEFLAGS": f"-j{os.cpu_count() or 1}",
            "PIP_NO_CACHE_DIR": "1",  # pip would keep a wheel of its own, which no key of ours guards
        }
        env.pop("PYTHONPATH", None)
        options = ["--no-deps", "--no-build-isolation", "--no-binary=horovod", "--require-hashes"]
        lock = places.environment / "horovod.lock"
        progress.call([places.python, "-m", "pip", "wheel", *options, "-r", lock, "-w", made], env=env)
        built = next(Path(made).glob("*.whl"))
        place(built, folder / built.name)
        write(folder / f"{built.name}.sha256", digest(built) + "\n")
        return folder / built.name


def wheel(places: Places, progress: Progress) -> Path:
    """Return the wheel, from the cache or newly built."""
    return cached(wheel_folder(places)) or build(places, progress)
