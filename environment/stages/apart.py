"""An environment of its own beside the project's, for a program whose pins are others: made once from its lock.

It lies in the user's cache folder under its lock's hash, so that all checkouts share it.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

from stages.packages import tool_environment, uv_program
from stages.places import Places
from stages.progress import Progress
from stages.stamp import key


def interpreter(places: Places, name: str) -> Path:
    """Return the Python that has what ``environment/<name>.lock`` says; installs it where it never was."""
    lock = places.environment / f"{name}.lock"
    home = places.cache / name / key(lock)[:16]
    home.mkdir(parents=True, exist_ok=True)
    python, ready = home / "bin" / "python", home / "ready"
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # a second one waits, then finds it done
        if not ready.exists():
            uv, env = uv_program(places, Progress(home / "uv.log")), tool_environment()
            subprocess.run(
                [uv, "venv", "-q", "--allow-existing", "--python", sys.executable, home], check=True, env=env
            )
            sync: list[str | Path] = [
                uv,
                "pip",
                "sync",
                "-q",
                "--require-hashes",
                "--compile-bytecode",
                "--python",
                python,
                lock,
            ]
            subprocess.run(sync, check=True, env=env, timeout=1500)
            ready.touch()
    return python
