"""Programs under measurement: wall time, and whether a JVM was started by what they started.

A JVM can't hide: ``JAVA_HOME`` and ``PATH`` lead to a stand-in for ``java`` that writes a line and
then becomes the real one. Spark starts its JVM by no other way.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAKELOOM = Path(sys.executable).with_name("lakeloom")


@dataclass(frozen=True)
class Ran:
    """What a program did: seconds of wall time and of processors, JVMs started, standard output.

    The processors' seconds are its own and those of the children that it waited for.
    """

    seconds: float
    processor_s: float
    jvms: int
    output: str


def run(arguments: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run a program to its end; `folder` takes the stand-in for ``java``.

    Raises
    ------
    RuntimeError
        With the end of its standard error, where it fails.
    """
    witness = _witness(folder)
    log = folder / "jvms"
    log.write_text("")
    path = f"{witness / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    surroundings = os.environ | {"JAVA_HOME": str(witness), "PATH": path} | dict(env or {})
    used, started = _used(), time.perf_counter()
    done = subprocess.run(list(arguments), capture_output=True, text=True, env=surroundings, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return Ran(seconds, _used() - used, len(log.read_text().splitlines()), done.stdout)


def _used() -> float:
    """Return the processors' seconds of all children so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _witness(folder: Path) -> Path:
    """Return a ``JAVA_HOME`` whose ``java`` notes each start."""
    home = folder / "java"
    place = home / "bin" / "java"
    if not place.exists():
        named = os.environ.get("JAVA_HOME")
        real = str(Path(named) / "bin" / "java") if named else shutil.which("java")
        if real is None:
            raise RuntimeError("no java on PATH and no JAVA_HOME")
        place.parent.mkdir(parents=True)
        log = shlex.quote(str(folder / "jvms"))
        place.write_text(f'#!/bin/sh\necho "$$" >> {log}\nexec {shlex.quote(real)} "$@"\n')
        place.chmod(0o755)
    return home
