"""A run on a share of the data, for development: which share, of what, and where its tables lie.

A sample has a storage root of its own, ``<root>/samples/1pct``: its tables, intents, models and MLflow
store never meet the real ones. It also speaks to nobody: no catalog, no MLflow server, no channel is
told of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from lakeloom.core.errors import ConfigError
from lakeloom.tables.words import share

if TYPE_CHECKING:
    from lakeloom.project.spec import Settings

FOLDER = "samples"


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


def shown(portion: float) -> str:
    """Return a share as people write it: ``1%``."""
    return f"{portion * 100:.6g}%"


def storage_root(home: Path, root: str, portion: float | None) -> Path:
    """Return the storage root: ``LAKELOOM_HOME`` or `root`, from the home on; a sample's own folder lies in it."""
    base = (home / (os.environ.get("LAKELOOM_HOME") or root)).resolve()
    return base / FOLDER / f"{portion * 100:.6g}pct" if portion else base


def apart(settings: Settings) -> Settings:
    """Return the settings; of a sample, without all that others see."""
    if settings.sample is None:
        return settings
    plain = type(settings)(project=settings.project)
    return settings.model_copy(
        update={name: getattr(plain, name) for name in ("mlflow", "catalog", "notify", "metrics", "openlineage")}
    )
