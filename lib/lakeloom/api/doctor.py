"""Whether this machine can run the project: each thing that is needed, and what to do where it is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lakeloom.core.errors import LakeloomError, SetupError
from lakeloom.core.extras import EXTRAS, absent, command
from lakeloom.objects.path import Location, ObjectPath, beside
from lakeloom.session.jars import jars_home, supplied
from lakeloom.session.settings import ARCHIVE, class_path

_FREE_BYTES = 5 * 2**30


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at.

    Attributes
    ----------
    status : {'ok', 'optional', 'missing'}
        ``optional`` is missing and needed by some steps only.
    """

    name: str
    status: Literal["ok", "optional", "missing"]
    found: str
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the entry of ``doctor --json``."""
        return asdict(self)


def diagnose(root: Location, *, fix: bool = False) -> list[Diagnosis]:
    """Look at the JDK, the jars, the class-data archive, the extras, the disk and the storage root.

    Parameters
    ----------
    fix : bool
        Fetch Delta's jars first, where they are missing; else the first run does.

    Raises
    ------
    SetupError
        LL-SETUP-001, LL-SETUP-002, LL-SETUP-007 where they can't be fetched.
    """
    if fix:
        supplied(jars_home())
    return [_java(), _jars(), _archive(), *_extras(), _disk(beside(root)), _writable(root)]


def _java() -> Diagnosis:
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    fix = "install a JDK 17 (Debian: openjdk-17-jdk-headless) or set JAVA_HOME"
    if not program or not Path(program).exists():
        return Diagnosis("JDK", "missing", "no java was found", fix)
    done = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=False)
    version = re.search(r'version "(\d+)[^"]*"', done.stderr)
    if version is None or int(version.group(1)) < 17:
        return Diagnosis("JDK", "missing", f"java {version.group(1) if version else 'of unknown version'}", fix)
    return Diagnosis("JDK", "ok", f"java {version.group(0).split(chr(34))[1]}")


def _jars() -> Diagnosis:
    try:
        count = len([jar for jar in class_path(jars_home()).split(":") if jar])
    except SetupError as error:
        return Diagnosis("jars", "missing", error.message, error.fix)
    return Diagnosis("jars", "ok", f"{count} jars in {jars_home()}" if count else "Spark brings Delta itself")


def _archive() -> Diagnosis:
    if (jars_home() / ARCHIVE).exists():
        return Diagnosis("class-data archive", "ok", ARCHIVE)
    found = "none: Spark starts some seconds later"
    return Diagnosis("class-data archive", "optional", found, "a checkout's 'make setup' makes one")


def _extras() -> Iterator[Diagnosis]:
    for extra, modules in EXTRAS.items():
        gone = absent(extra)
        if gone:
            yield Diagnosis(f"extra {extra}", "optional", f"no {', '.join(gone)}", command(extra))
        else:
            yield Diagnosis(f"extra {extra}", "ok", ", ".join(modules))


def _disk(root: Path) -> Diagnosis:
    free = shutil.disk_usage(_nearest(root)).free
    found = f"{free / 2**30:.0f} GiB free"
    return Diagnosis("disk", "ok", found) if free >= _FREE_BYTES else Diagnosis("disk", "missing", found, "free 5 GiB")


def _writable(root: Location) -> Diagnosis:
    if isinstance(root, ObjectPath):
        try:
            root.is_dir()
        except LakeloomError as error:
            return Diagnosis("storage root", "missing", error.message, error.fix)
        return Diagnosis("storage root", "ok", str(root))
    if os.access(_nearest(root), os.W_OK | os.X_OK):
        return Diagnosis("storage root", "ok", str(root))
    return Diagnosis("storage root", "missing", f"{root} can't be written", "mend its rights or set LAKELOOM_HOME")


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
