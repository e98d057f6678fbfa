"""A project that is opened: its config, its storage root, and what every reader of it asks for.

No sound config is needed: the storage root comes from the settings alone, so that `tables` or `sql` answer
while somebody is in the middle of editing ``tables.yml``.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.config.load import Raw
from lakeloom.objects.path import Location, beside
from lakeloom.store.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakeloom.core.steps import Step
    from lakeloom.project.spec import Project
    from lakeloom.tables.catalog import CatalogSpec


WORK = ".lakeloom"


class Opened:
    """A project's config and storage root.

    Parameters
    ----------
    raw : Raw
        The merged, marked config.

    Attributes
    ----------
    on : str or None
        The branch that it is read and run on; None for main.
    """

    point = ""  # the version, time or tag of tables that are named without one

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.sample, self.on = _share(raw), _branch(raw)
        self.root = _root(raw, self.sample, self.on)
        self.lake = Lake(self.root)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.raw.project!r}, env={self.raw.env!r}, root={str(self.root)!r})"

    @property
    def name(self) -> str:
        """The project's name."""
        return self.raw.project

    @cached_property
    def project(self) -> Project:
        """The typed project; raises FindingsError with every mistake of the config."""
        from lakeloom.project.check import checked

        return checked(self.raw, self._schemas())

    @property
    def tracking(self) -> str:
        """The address of the MLflow store: the config's, or the SQLite file under the storage root."""
        server = "" if self.sample or self.on else str(self.raw.document.data.get("mlflow") or "")
        return server or f"sqlite:///{beside(self.root)}/mlflow.db"

    def spark(self) -> SparkSession:
        """Return the Spark session of this environment; starts it where none runs."""
        from lakeloom.session.settings import overlay_of
        from lakeloom.session.spark import open_session
        from lakeloom.tables.catalog import settings

        overlay = overlay_of(self.raw.document.data.get("spark") or {})
        stores = () if isinstance(self.root, Path) else (self.root.opening,)
        return open_session(settings(self._catalog, self.root, overlay), stores=stores)

    @property
    def _catalog(self) -> CatalogSpec:
        return self._read.settings.catalog

    @cached_property
    def _good(self) -> dict[str, int]:
        from lakeloom.store import refs

        return refs.good(self.lake)

    @cached_property
    def _read(self) -> Project:
        """The project as it can be read, entries with mistakes left out."""
        from lakeloom.project.typing import Reader

        return Reader(self.raw).project()

    def _schemas(self) -> dict[str, list[str]]:
        from lakeloom.api.recorded import columns

        return columns(self.lake, self._good, self._steps)

    def _steps(self) -> list[Step]:
        from lakeloom.project.graph import steps

        return steps(self._read)


def _root(raw: Raw, sample: float | None, branch: str | None) -> Location:
    said = raw.document.data
    named = str(said.get("root") or WORK)
    if not (sample or branch) and "://" not in (os.environ.get("LAKELOOM_HOME") or named):
        return (raw.home / (os.environ.get("LAKELOOM_HOME") or named)).resolve()
    from lakeloom.project.sampling import storage_root

    stores, work = dict(said.get("stores") or {}), str(said.get("work") or WORK)
    return storage_root(raw.home, named, sample, branch, stores=stores, work=work)


def _branch(raw: Raw) -> str | None:
    """Return the branch, None for main; a malformed one is a finding of `check`, and no run starts."""
    if raw.document.data.get("branch") is None:
        return None
    from lakeloom.project.sampling import branch

    try:
        return branch(raw.document.data["branch"])
    except ValueError:
        return None


def _share(raw: Raw) -> float | None:
    """Return the share of a sample, None for all; a malformed one is a finding of `check`, and no run starts."""
    if raw.document.data.get("sample") is None:
        return None
    from lakeloom.project.sampling import sample

    try:
        return sample(raw.document.data["sample"])
    except ValueError:
        return None
