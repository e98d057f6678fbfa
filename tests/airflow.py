"""A real Airflow in an environment of its own, made once from its lock and kept in the user's cache folder."""

import fcntl
import subprocess
import sys
from pathlib import Path

from stages.packages import tool_environment, uv_program
from stages.places import Places
from stages.progress import Progress
from stages.stamp import key


def interpreter() -> Path:
    """Return the Python that has Airflow; installs it where this lock's was never installed."""
    places = Places.here()
    lock = places.environment / "airflow.lock"
    home = places.cache / "airflow" / key(lock)[:16]
    home.mkdir(parents=True, exist_ok=True)
    python, ready = home / "bin" / "python", home / "ready"
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # a second test run waits, then finds it done
        if not ready.exists():
            uv, env = uv_program(places, Progress(home / "uv.log")), tool_environment()
            subprocess.run(
                [uv, "venv", "-q", "--allow-existing", "--python", sys.executable, home], check=True, env=env
            )
            sync = [uv, "pip", "sync", "-q", "--require-hashes", "--compile-bytecode", "--python", python, lock]
            subprocess.run(sync, check=True, env=env, timeout=1500)
            ready.touch()
    return python
