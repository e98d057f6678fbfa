"""The typed project: what `check` makes of the marked document, and the only thing read after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lakeloom.config.placeholders import resolve
from lakeloom.core.durations import parse
from lakeloom.datasets.spec import DatasetSpec
from lakeloom.features.spec import FeatureView
from lakeloom.objects.address import Address
from lakeloom.objects.opened import Opening, opening
from lakeloom.objects.path import Location, beside
from lakeloom.project.exports.targets import Databricks
from lakeloom.project.sampling import WORK, BranchName, SampleShare, storage_root
from lakeloom.project.schedule import Schedule
from lakeloom.sinks.spec import ExportSpec
from lakeloom.tables.catalog import CatalogSpec
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.upkeep import UpkeepSpec, asked
from lakeloom.tables.words import Share, Strict
from lakeloom.telemetry.spec import MetricsSpec, OpenLineageSpec
from lakeloom.training.spec import ModelSpec


class Settings(Strict):
    """The top-level keys of base.yml and its overlays."""

    version: Literal[1] = 1
    project: str
    env: str = "local"
    root: str = ".lakeloom"
    work: str = WORK
    seed: int = Field(default=7, ge=0)
    slots: int = Field(default=2, ge=1, le=64)
    retries: int = Field(default=2, ge=0, le=10)
    wait_s: float = Field(default=0.0, ge=0)
    spark: dict[str, str | int | float | bool] = {}
    stores: dict[str, dict[str, Any]] = {}
    mlflow: str = ""
    notify: tuple[dict[str, Any], ...] = ()
    metrics: MetricsSpec | None = None
    openlineage: OpenLineageSpec | None = None
    owners: dict[str, str | tuple[str, ...]] = {}
    quarantine_above: Share | None = None
    upkeep: Annotated[UpkeepSpec | None, BeforeValidator(asked)] = None
    catalog: CatalogSpec = CatalogSpec()
    schedule: Schedule | None = None
    databricks: Databricks | None = None
    sample: SampleShare | None = None
    branch: BranchName | None = None


# Comparing a large table as a whole takes minutes.
_LIMIT_S = 600


@dataclass(frozen=True)
class SourceSpec:
    """One entry of ``sources.yml``: the envelope; `options` is what its kind reads."""

    name: str
    kind: str
    options: dict[str, Any] = field(compare=False)
    owner: str | None = None
    description: str | None = None
    freshness: str | None = None
    quarantine_above: str | float | None = None
    sample: str | list[str] | None = None
    timeout: str | None = None
    when: str | dict[str, str] | None = None
    upkeep: UpkeepSpec | None = None

    @property
    def limit_s(self) -> int:
        """How many seconds the source has to say what is new, and how long its line may be silent."""
        return parse(self.timeout, f"sources.{self.name}.timeout").seconds if self.timeout else _LIMIT_S


@dataclass(frozen=True)
class Project:
    """A checked project.

    Attributes
    ----------
    faulty : frozenset of str
        ``section.name`` of the entries that are declared but wrong, and so left out: what refers to one is
        no second mistake.
    """

    home: Path
    folder: Path
    settings: Settings
    sources: dict[str, SourceSpec]
    tables: dict[str, TableSpec]
    features: dict[str, FeatureView]
    datasets: dict[str, DatasetSpec]
    models: dict[str, ModelSpec]
    sql: dict[str, str]
    exports: dict[str, ExportSpec] = field(default_factory=dict)
    faulty: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The project's name."""
        return self.settings.project

    @cached_property
    def root(self) -> Location:
        """The storage root; a relative one starts at the home. A sample has one of its own, and so has a branch."""
        return self._root(self.settings.branch)

    @cached_property
    def main(self) -> Location:
        """The storage root that a branch was made of; the project's own where it is on none."""
        return self._root(None)

    def _root(self, branch: str | None) -> Location:
        said = self.settings
        return storage_root(self.home, said.root, said.sample, branch, stores=said.stores, work=said.work)

    @property
    def work(self) -> Path:
        """The folder of this machine for what needs a file system: the storage root itself where it is a folder."""
        return beside(self.root)

    @property
    def stores(self) -> tuple[Opening, ...]:
        """The object stores that Spark itself reads and writes: of the root, and of sources that are read directly."""
        own = () if isinstance(self.root, Path) else (self.root.opening,)
        paths = [str(each.options["path"]) for each in self.sources.values() if each.options.get("access") == "direct"]
        return (*own, *(opening(Address.parse(str(resolve(path, "path"))), self.settings.stores) for path in paths))
