"""Another process that holds the lock of a storage root, until its standard input is closed or it is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIB = Path(__file__).resolve().parents[1] / "lib"
_HOLD = """\
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lakeloom.store.lock import locked
with locked(Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Give the process once it holds the lock of `root`; it is ended on the way out."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(LIB), str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
