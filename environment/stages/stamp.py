"""What was set up, by which inputs: a second set-up with the same inputs does nothing.

The stamp lies inside the virtual environment, so that one without the other can't be. It holds a
key a stage (hashes of locks, scripts, Python and Java) and the name of a stage that has begun but
not ended.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from stages.files import write


def key(*parts: str | Path) -> str:
    """Return a hash of the parts: texts as they are, paths by their content."""
    whole = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.hexdigest()


class Stamp:
    """The record of finished stages.

    Parameters
    ----------
    path : Path
        The JSON file; absent or unreadable means that nothing is set up.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            read: Any = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            read = {}
        self.known: dict[str, str] = read if isinstance(read, dict) else {}

    def current(self, stage: str, now: str) -> bool:
        """Return whether `stage` was finished with the key `now`."""
        return self.known.get(stage) == now

    def begun(self, stage: str) -> bool:
        """Return whether `stage` was begun and never finished."""
        return self.known.get(stage) == "begun"

    def begin(self, stage: str) -> None:
        """Note that `stage` is being worked on."""
        self.note(stage, "begun")

    def note(self, stage: str, now: str) -> None:
        """Note that `stage` is finished with the key `now`."""
        self.known[stage] = now
        write(self.path, json.dumps(self.known, indent=1, sort_keys=True) + "\n")
