"""Runs that stay apart: on a share of the data, for development, or on a branch. Where their tables lie.

A sample has a storage root of its own, ``<root>/samples/1pct``, and so has a branch,
``<root>/branches/mywork``: their tables, intents, models and MLflow store never meet the real ones. They also
speak to nobody: no catalog, no MLflow server, no channel is told of them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from lakeloom.core.errors import ConfigError
from lakeloom.tables.words import share

if TYPE_CHECKING:
    from lakeloom.project.spec import Settings

FOLDER = "samples"
BRANCHES = "branches"
_BRANCH = re.compile(r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")


def sample(value: Any) -> float:
    """Read the share of a sample, ``1%`` or ``0.01``; raises ValueError for what is no share between 0 and 1."""
    found = share(value)
    if not 0 < found < 1:
        raise ValueError(f"a sample is more than nothing and less than all, '{value}' is not: write 1% or 0.01")
    return found


def asked(value: str, where: str) -> float:
    """Return the share that a user asks for; raises LL-CONF-004."""
    try:
        return sample(value)
    except ValueError as wrong:
        raise ConfigError("LL-CONF-004", str(wrong), where=where, fix="write 1% or 0.01") from None


SampleShare = Annotated[
    float,
    BeforeValidator(sample),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, {"type": "string"}]}),
]


def branch(value: Any) -> str:
    """Read a branch's name; raises ValueError."""
    if not isinstance(value, str) or _BRANCH.fullmatch(value) is None:
        raise ValueError(f"'{value}' can't be a branch: letters, digits, _ and -, a letter first, at most 64")
    return value


BranchName = Annotated[str, BeforeValidator(branch), WithJsonSchema({"type": "string", "pattern": _BRANCH.pattern})]


def shown(portion: float) -> str:
    """Return a share as people write it: ``1%``."""
    return f"{portion * 100:.6g}%"


def storage_root(home: Path, root: str, portion: float | None, branch: str | None = None) -> Path:
    """Return the storage root: ``LAKELOOM_HOME`` or `root`, from the home on.

    A sample's own folder lies in it, and a branch's in the root that it branches off.
    """
    base = (home / (os.environ.get("LAKELOOM_HOME") or root)).resolve()
    base = base / FOLDER / f"{portion * 100:.6g}pct" if portion else base
    return base / BRANCHES / branch if branch else base


def apart(settings: Settings) -> Settings:
    """Return the settings; of a sample or a branch, without all that others see."""
    if settings.sample is None and settings.branch is None:
        return settings
    plain = type(settings)(project=settings.project)
    return settings.model_copy(
        update={name: getattr(plain, name) for name in ("mlflow", "catalog", "notify", "metrics", "openlineage")}
    )
