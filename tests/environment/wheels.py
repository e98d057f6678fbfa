"""Environments made by the tests: the wheel as a user gets it, and a Python that has nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from stages.packages import tool_environment, uv_program
from stages.places import Places
from stages.progress import Progress

CHECKOUT = Path(__file__).resolve().parents[2]


def build(folder: Path) -> Path:
    """Build the wheel from a copy of what git would ship, so that nothing old in ``build/`` gets into it."""
    source = folder / "source"
    shutil.copytree(CHECKOUT / "lib", source / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(CHECKOUT / "setup.py", source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source]
    subprocess.run(command, check=True, timeout=300)
    return next(folder.glob("lakeloom-*.whl"))


def environment(folder: Path, *packages: str | Path) -> Path:
    """Make a virtual environment with `packages` at the newest versions that fit; return its interpreter."""
    uv = uv_program(Places.here(), Progress(folder.parent / "uv.log"))
    env = tool_environment()
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True, env=env, timeout=300)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *packages], check=True, env=env, timeout=1500)
    return python


def bare(**more: str) -> dict[str, str]:
    """Return the machine's environment without anything that leads to this checkout or its settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAKELOOM_", "PYTHON", "SPARK_"))}
    kept.pop("VIRTUAL_ENV", None)
    return kept | more
