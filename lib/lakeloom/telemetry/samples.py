"""A run's facts → samples: name, help, unit, labels, value. The same ones for Prometheus and OpenTelemetry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lakeloom.telemetry.facts import RunFacts

STATUSES = ("done", "skipped", "failed", "blocked")
# Figure of a step → metric, unit, help.
STEP = {
    "rows_in": ("lakeloom_step_rows_in", "{row}", "Rows that the step's inputs held for it."),
    "rows_out": ("lakeloom_step_rows_out", "{row}", "Rows that the step wrote."),
    "quarantined": ("lakeloom_step_rows_quarantined", "{row}", "Rows that the step sent to quarantine."),
    "bytes": ("lakeloom_step_table_bytes", "By", "Size of the step's table at the version that it wrote."),
    "tasks": ("lakeloom_step_tasks", "{task}", "Spark tasks that ran to their end."),
    "failed_tasks": ("lakeloom_step_failed_tasks", "{task}", "Spark tasks that failed."),
    "task_seconds": ("lakeloom_step_task_seconds", "s", "Wall time of Spark's tasks, summed."),
    "cpu_seconds": ("lakeloom_step_cpu_seconds", "s", "Processor time of Spark's tasks, summed."),
    "gc_seconds": ("lakeloom_step_gc_seconds", "s", "Time of Spark's tasks in garbage collection, summed."),
    "bytes_read": ("lakeloom_step_read_bytes", "By", "Bytes from the storage."),
    "bytes_written": ("lakeloom_step_written_bytes", "By", "Bytes to the storage."),
    "shuffle_bytes": ("lakeloom_step_shuffle_bytes", "By", "Bytes written between stages."),
    "late": ("lakeloom_step_rows_late", "{row}", "Rows that came too late for a stream, or without a time."),
    "state_rows": ("lakeloom_step_state_rows", "{row}", "Rows that a stream's query remembers."),
    "state_bytes": ("lakeloom_step_state_bytes", "By", "Memory of what a stream's query remembers."),
    "watermark": ("lakeloom_step_watermark_timestamp_seconds", "s", "How far a stream's events have come."),
    "spilled_bytes": ("lakeloom_step_spilled_bytes", "By", "Bytes written to local disks for lack of memory."),
}


@dataclass(frozen=True)
class Sample:
    """One number with its labels."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...]
    unit: str = "1"
    help: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``metrics --json``."""
        return asdict(self) | {"labels": dict(self.labels)}


def samples(facts: RunFacts) -> list[Sample]:
    """Return all samples of a run, those of one metric side by side."""
    found = [*_of_run(facts), *_of_steps(facts), *_of_tables(facts)]
    order = {sample.name: index for index, sample in reversed(list(enumerate(found)))}
    return sorted(found, key=lambda sample: order[sample.name])


def _of_run(facts: RunFacts) -> Iterator[Sample]:
    own = (("project", facts.project), ("env", facts.env))
    yield Sample("lakeloom_run_info", 1, (*own, ("run_id", facts.run), ("status", facts.status)), "1",
                 "The run that these figures are of.")  # fmt: skip
    yield Sample("lakeloom_run_success", float(facts.status == "done"), own, "1", "1 where the run was done, 0 if not.")
    yield Sample("lakeloom_run_started_timestamp_seconds", facts.started.timestamp(), own, "s", "When the run began.")
    yield Sample("lakeloom_run_ended_timestamp_seconds", facts.ended.timestamp(), own, "s", "When the run ended.")
    yield Sample("lakeloom_run_duration_seconds", facts.seconds, own, "s", "How long the run took.")
    counts = Counter(step.status for step in facts.steps)
    for status in STATUSES:
        yield Sample(
            "lakeloom_run_steps", counts[status], (*own, ("status", status)), "{step}", "Steps by their status."
        )


def _of_steps(facts: RunFacts) -> Iterator[Sample]:
    for step in facts.steps:
        own = (("project", facts.project), ("env", facts.env), ("step", step.name), ("kind", step.kind))
        good = float(step.status in ("done", "skipped"))
        yield Sample("lakeloom_step_success", good, own, "1", "1 where the step was done or skipped, 0 if not.")
        yield Sample("lakeloom_step_duration_seconds", step.seconds, own, "s", "How long the step took.")
        if step.status == "skipped":
            continue
        for figure, (name, unit, text) in STEP.items():
            if figure in step.numbers:
                yield Sample(name, step.numbers[figure], own, unit, text)


def _of_tables(facts: RunFacts) -> Iterator[Sample]:
    for table, (newest, allowed_s) in facts.newest.items():
        own = (("project", facts.project), ("env", facts.env), ("table", table))
        at = newest.timestamp()
        yield Sample("lakeloom_table_newest_timestamp_seconds", at, own, "s", "Event or arrival of the newest data.")
        yield Sample("lakeloom_table_allowed_age_seconds", allowed_s, own, "s", "How old the newest data may be.")
