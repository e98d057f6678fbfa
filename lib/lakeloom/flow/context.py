"""What every step of a run shares: project, lake, intents, the run's id, and Spark once it is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.config.placeholders import resolve
from lakeloom.core.kinds import pick
from lakeloom.flow.provenance import provenance
from lakeloom.objects.opened import Opening
from lakeloom.project.spec import Project, SourceSpec
from lakeloom.session.measure import Meter, Meters, Resources
from lakeloom.session.settings import overlay_of
from lakeloom.session.spark import cancel, open_session
from lakeloom.sources import SOURCES
from lakeloom.store.commit import Mark
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake
from lakeloom.tables.catalog import settings as catalog_settings

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pyspark.sql import SparkSession


class Engine:
    """Spark, opened by the first step that needs it: a run with nothing new starts no JVM."""

    def __init__(self, overlay: dict[str, str], log: Path | None = None, stores: Sequence[Opening] = ()) -> None:
        self._overlay, self._log, self._stores = overlay, log, stores
        self._lock = threading.Lock()
        self._spark: SparkSession | None = None
        self._failed: Exception | None = None
        self._meters = Meters()

    def spark(self) -> SparkSession:
        """Return the run's Spark session."""
        with self._lock:
            if self._failed is not None:
                # What failed a moment ago beside this thread is told, not waited for once more.
                failed, self._failed = self._failed, None
                raise failed
            if self._spark is None:
                self._spark = open_session(self._overlay, log=self._log, stores=self._stores)
            spark = self._spark
        meter = self._meters.current()
        if meter is not None:
            meter.begin(spark)
        return spark

    def soon(self) -> None:
        """Begin to start Spark beside what this thread goes on with; what fails is told by `spark`."""
        if self._spark is None:
            threading.Thread(target=self._warm, name="spark", daemon=True).start()

    def _warm(self) -> None:
        with self._lock:
            try:
                self._spark = self._spark or open_session(self._overlay, log=self._log, stores=self._stores)
            except Exception as cause:  # the step that needs Spark says it
                self._failed = cause

    @contextmanager
    def metering(self, *, alone: bool) -> Iterator[None]:
        """Measure what the step of this thread takes; `alone` where no other runs beside it."""
        meter = Meter(alone=alone)
        self._meters.put(meter)
        try:
            yield
        finally:
            self._meters.put(None)
            meter.end()

    def measured(self) -> Resources | None:
        """Return what the step of this thread took so far; None where Spark was not asked or tells nothing."""
        meter = self._meters.current()
        return meter.read() if meter is not None else None

    def cancel(self) -> None:
        """Cancel all running Spark jobs."""
        if self._spark is not None:
            cancel(self._spark)


@dataclass
class Context:
    """What every step of a run shares."""

    project: Project
    run: str
    lake: Lake
    intents: Intents
    engine: Engine
    seen: dict[str, int] = field(default_factory=dict)
    allow_breaking: bool = True

    @classmethod
    def of(cls, project: Project, run: str) -> Context:
        """Return the context of a run of `project`."""
        overlay = overlay_of(project.settings.spark)
        overlay = catalog_settings(project.settings.catalog, project.root, overlay)
        log = project.work / "runs" / run / "spark.log"
        return cls(project, run, Lake(project.root), Intents(project.root), Engine(overlay, log, project.stores))

    @cached_property
    def provenance(self) -> dict[str, str]:
        """Config hash, git commit and lock hash."""
        return provenance(self.project)

    @property
    def folder(self) -> Path:
        """The folder of the run's own files."""
        return self.project.work / "runs" / self.run

    def mark(self, intent: Intent, table: str, lineage: str | None = None) -> Mark:
        """Return the mark of a commit: whose write it is, with the manifest and the hash of what flows into it."""
        manifest = {
            "run": intent.run,
            "table": table,
            "code": intent.code,
            "reads": intent.reads,
            "clock": intent.clock,
            "seed": intent.seed,
            "full": intent.full,
        }
        manifest |= {"lineage": lineage} if lineage else {}
        manifest |= {"promoted": intent.batch["branch"]} if "promote" in intent.batch else {}
        return Mark(intent.step, intent.epoch, manifest | self.provenance)

    def source(self, spec: SourceSpec) -> tuple[type, BaseModel]:
        """Return a source's kind and its config.

        Variables and secrets are resolved; it knows where its objects are, and how long its line may be silent.
        """
        where = f"sources.{spec.name}"
        kind = pick(spec.kind, SOURCES, where)
        config = kind.Config.model_validate(resolve(spec.options, where))
        located = getattr(kind, "located", None)
        if located is not None:
            config = located(config, spec.name, self.project.settings.stores, self.project.work)
        limited = getattr(kind, "limited", None)
        if limited is not None:
            config = limited(config, spec.limit_s)
        return kind, config
