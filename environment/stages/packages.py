"""The Python packages: uv from its lock, the virtual environment, exactly what requirements.lock says."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stages.locks import pins
from stages.places import Places
from stages.progress import Progress


def uv_program(places: Places, progress: Progress) -> Path:
    """Return the pinned uv, installed by pip into the user's cache where it is missing or damaged."""
    lock = places.environment / "tools.lock"
    version = pins(lock.read_text(encoding="utf-8"))["uv"]
    home = places.cache / "tools" / f"uv-{version}-{platform.system()}-{platform.machine()}".lower()
    program = home / "bin" / "uv"
    if works(program):
        return program
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as made:
        target = Path(made) / "uv"
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
        progress.call([sys.executable, "-m", "pip", "install", *options, "--target", target, "-r", lock])
        shutil.rmtree(home, ignore_errors=True)
        target.rename(home)
    return program


def works(program: Path) -> bool:
    """Return whether a program starts and says its version."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def tool_environment() -> dict[str, str]:
    """Return the environment for uv: quiet, and with pip's index and certificates where only pip was told them."""
    env = dict(os.environ) | {"UV_NO_PROGRESS": "1", "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
    for told, wanted in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if told in env:
            env.setdefault(wanted, env[told])
    env.pop("VIRTUAL_ENV", None)
    return env


def make_venv(places: Places, progress: Progress, afresh: bool) -> None:
    """Make the virtual environment where there is none that works, or `afresh`.

    Without ensurepip, which Debian ships apart from Python: uv needs no pip inside.
    """
    if not afresh and works(places.python):
        return
    shutil.rmtree(places.venv, ignore_errors=True)
    progress.log.parent.mkdir(parents=True, exist_ok=True)
    progress.call([sys.executable, "-m", "venv", "--without-pip", str(places.venv)])


def sync(places: Places, progress: Progress) -> None:
    """Install exactly the lock's packages, each checked against its hash."""
    uv = uv_program(places, progress)
    lock = places.environment / "requirements.lock"
    progress.call(
        [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", places.python, lock],
        env=tool_environment(),
    )


def install(places: Places, progress: Progress, *what: str | Path) -> None:
    """Install something more into the environment (a wheel, the checkout), without its dependencies or the network."""
    uv = uv_program(places, progress)
    options = ["--quiet", "--offline", "--no-deps", "--no-build-isolation"]
    command = [uv, "pip", "install", *options, "--python", places.python, *what]
    progress.call(command, env=tool_environment(), cwd=places.checkout)


def installed(places: Places, distribution: str) -> bool:
    """Return whether a distribution's metadata lies in the environment."""
    return any(places.site.glob(f"{distribution}-*.dist-info/METADATA"))
