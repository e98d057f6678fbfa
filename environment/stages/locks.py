"""The lock files: requirements with hashes, as pip and uv read them, and jars with theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stages.failure import SetupError

PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Jar:
    """A jar of the lock: the folder it goes to, its Maven coordinates and its sha256."""

    folder: str
    organisation: str
    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Return the jar's file name."""
        return f"{self.name}-{self.version}.jar"


def pins(text: str) -> dict[str, str]:
    """Return the pinned versions of a requirements file, by lower-case name."""
    return {name.lower(): version for name, version in PIN.findall(text)}


def jars(path: Path) -> list[Jar]:
    """Return the jars of a lock file; raises LL-SETUP-007 at the line that can't be read."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        parts = words[1].split(":") if len(words) == 3 else []
        if len(parts) != 3 or not SHA256.fullmatch(words[2]):
            raise SetupError(
                "LL-SETUP-007",
                f"{path.name}:{number} is not 'folder organisation:name:version sha256'",
                "restore the file from git",
            )
        found.append(Jar(words[0], parts[0], parts[1], parts[2], words[2]))
    return found
