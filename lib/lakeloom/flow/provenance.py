"""Where a result comes from: the config's hash, the git commit, the lock's hash. Part of every manifest."""

from __future__ import annotations

import hashlib
import subprocess
from functools import lru_cache
from pathlib import Path

from lakeloom.core.steps import digest
from lakeloom.project.graph import steps
from lakeloom.project.sampling import shown
from lakeloom.project.spec import Project


def provenance(project: Project) -> dict[str, str]:
    """Return ``config``, ``git`` and ``lock``: 16 hex digits, a commit (``+`` where changed), 16 hex digits.

    Of a run on a sample also ``sample``, its share; on a branch ``branch``, its name.
    """
    config = digest([(step.name, step.code) for step in steps(project)], project.settings.seed)
    found = {"config": config, "git": _git(project.home), "lock": _lock(project.home)}
    found |= {"branch": project.settings.branch} if project.settings.branch else {}
    return found | ({"sample": shown(project.settings.sample)} if project.settings.sample else {})


@lru_cache(maxsize=8)
def _git(home: Path) -> str:
    def ask(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=home, capture_output=True, text=True, timeout=20, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = ask("rev-parse", "HEAD")
        return commit + ("+" if commit and ask("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.TimeoutExpired):
        return ""


@lru_cache(maxsize=8)
def _lock(home: Path) -> str:
    file = home / "environment" / "requirements.lock"
    return hashlib.blake2b(file.read_bytes(), digest_size=8).hexdigest() if file.is_file() else ""
