"""What the machine must bring: Python 3.11, a JDK, a C++ compiler and make."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from stages.failure import SetupError

JDK_FIX = "install a JDK 17 (Debian: apt-get install openjdk-17-jdk-headless) or set JAVA_HOME"
JDK_RANGE = range(17, 23)  # Spark 4.0 supports 17 and 21; Hadoop's login fails from 23 on


@dataclass(frozen=True)
class Java:
    """A Java runtime: its program and the text that tells it from others."""

    program: Path
    release: str


def major(release: str) -> int:
    """Return the major version in a JDK's ``release`` file or what ``java -version`` prints; 0 if there is none."""
    found = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)', release)
    return int(found.group(1)) if found else 0


def find_java() -> Java:
    """Return the Java that Spark will take (``JAVA_HOME``, then ``PATH``); raises LL-SETUP-001 without a usable one."""
    home = os.environ.get("JAVA_HOME")
    if home and not (Path(home) / "bin" / "java").exists():
        raise SetupError("LL-SETUP-001", f"JAVA_HOME is {home}, which has no bin/java", JDK_FIX)
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found is None:
        raise SetupError("LL-SETUP-001", "no java on PATH, and JAVA_HOME is not set", JDK_FIX)
    program = Path(found).resolve()
    noted = program.parent.parent / "release"
    # Reading the JDK's own note is fast; a Java that has none is asked.
    release = noted.read_text(encoding="utf-8", errors="replace") if noted.is_file() else ask(program)
    if major(release) not in JDK_RANGE:
        raise SetupError("LL-SETUP-001", f"{program} is Java {major(release) or 'of unknown version'}", JDK_FIX)
    return Java(program, release)


def ask(program: Path) -> str:
    """Return what ``java -version`` prints; empty where it can't be started."""
    try:
        return subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:2])) -> None:
    """Raise LL-SETUP-006 unless this interpreter is Python 3.11, which the lock was made for."""
    if version[:2] != (3, 11):
        raise SetupError(
            "LL-SETUP-006",
            f"this is Python {version[0]}.{version[1]}; the locked environment needs 3.11",
            "install it (Debian: apt-get install python3.11 python3-pip) and run make PYTHON=/path/to/python3.11",
        )


def check_compiler() -> None:
    """Raise LL-SETUP-004 without g++ and LL-SETUP-005 without make: Horovod is compiled here."""
    compiler = os.environ.get("LAKELOOM_CXX", "g++")
    if shutil.which(compiler) is None:
        raise SetupError("LL-SETUP-004", f"no C++ compiler ({compiler}) on PATH", "Debian: apt-get install g++")
    if shutil.which("make") is None:
        raise SetupError("LL-SETUP-005", "no make on PATH", "Debian: apt-get install make")
