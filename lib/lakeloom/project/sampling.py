"""Runs that stay apart: on a share of the data, for development, or on a branch. Where their tables lie.

A sample has a storage root of its own, ``<root>/samples/1pct``, and so has a branch,
``<root>/branches/mywork``: their tables, intents, models and MLflow store never meet the real ones. They also
speak to nobody: no catalog, no MLflow server, no channel is told of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from lakeloom.core.errors import ConfigError
from lakeloom.tables.words import share

if TYPE_CHECKING:
    from lakeloom.objects.path import Location
    from lakeloom.project.spec import Settings

FOLDER = "samples"
WORK = ".lakeloom"
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


def storage_root(
    home: Path,
    root: str,
    portion: float | None = None,
    branch: str | None = None,
    *,
    stores: Mapping[str, Mapping[str, Any]] | None = None,
    work: str = WORK,
) -> Location:
    """Return the storage root: ``LAKELOOM_HOME`` or `root`, from the home on, or the address of a place in a store.

    A sample's own folder lies in it, and a branch's in the root that it branches off.

    Parameters
    ----------
    stores : mapping, optional
        ``stores:`` of the config, by which a root in a store is reached.
    work : str
        Where a root in a store has its folder of this machine: ``LAKELOOM_WORK``, or this from the home on.

    Raises
    ------
    ConfigError
        LL-CONF-004, LL-CONF-008, LL-CONF-020 for an address or settings of a store that are wrong.
    """
    named = os.environ.get("LAKELOOM_HOME") or root
    base = _in_store(home, named, stores or {}, work) if "://" in named else (home / named).resolve()
    base = base / FOLDER / f"{portion * 100:.6g}pct" if portion else base
    return base / BRANCHES / branch if branch else base


def _in_store(home: Path, named: str, stores: Mapping[str, Mapping[str, Any]], work: str) -> Location:
    from lakeloom.objects.address import Address
    from lakeloom.objects.opened import opening
    from lakeloom.objects.path import ObjectPath

    address = Address.parse(named, "root")
    if address.scheme == "file":
        return Path("/") / address.bucket / address.pattern
    if address.scheme in ("http", "https", "sftp") or not address.plain:
        raise ConfigError(
            "LL-CONF-004", f"'{named}' can't be a storage root", where="root",
            fix="write a folder, or s3://bucket/lake, gs://bucket/lake, abfss://container@account.dfs.…/lake",
        )  # fmt: skip
    beside = (home / (os.environ.get("LAKELOOM_WORK") or work)).resolve()
    place = re.sub(r"[^A-Za-z0-9.]+", "-", named).strip("-")
    return ObjectPath(opening(address, stores), address.pattern.strip("/"), beside / place)


def apart(settings: Settings) -> Settings:
    """Return the settings; of a sample or a branch, without all that others see."""
    if settings.sample is None and settings.branch is None:
        return settings
    plain = type(settings)(project=settings.project)
    return settings.model_copy(
        update={name: getattr(plain, name) for name in ("mlflow", "catalog", "notify", "metrics", "openlineage")}
    )
