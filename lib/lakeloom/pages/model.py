"""What a report is made of: plain, frozen facts about one run.

The runner fills these from manifests, the store's log and the registry; `lakeloom.pages.report`
turns them into HTML. They hold no frame, no session and no path into the lake, so a report can be
written long after the run, on another machine, from JSON: `Report.from_facts` reads what
``dataclasses.asdict`` and ``json.dumps(…, default=str)`` wrote. Secrets and personal values have no
place here; texts are masked once more when they are rendered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

DONE, SKIPPED, FAILED = "done", "skipped", "failed"


@dataclass(frozen=True)
class Fact:
    """One headline: a label, its value as text, and a remark below it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class StepFact:
    """What one step did; a number that is not known is None.

    `status` is ``done``, ``skipped``, ``failed`` or another word, which is shown as it is.
    `started` (UTC) places the step on the timeline; without it, steps are drawn from zero.
    `version` is that of the table written, `bytes` what was written.
    """

    name: str
    kind: str
    status: str
    reason: str = ""
    rows_in: int | None = None
    rows_out: int | None = None
    quarantined: int | None = None
    version: int | None = None
    seconds: float | None = None
    bytes: int | None = None
    started: datetime | None = None


@dataclass(frozen=True)
class TableFact:
    """A table at the version that the run left."""

    name: str
    version: int | None = None
    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class QuarantineFact:
    """The rows of a table that one rule sent to quarantine, with some of the reasons given."""

    table: str
    rule: str
    rows: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleFact:
    """The result of one rule on one table: `broken` of `rows` rows broke it."""

    table: str
    name: str
    level: str
    passed: bool
    column: str | None = None
    rows: int | None = None
    broken: int | None = None


@dataclass(frozen=True)
class Mark:
    """What came of a rule in one execution: passed, warned, quarantined or failed; `at` is ISO 8601 in UTC."""

    outcome: str
    run: str
    at: str
    rows: int = 0
    broken: int = 0


@dataclass(frozen=True)
class TrackFact:
    """A rule of a table over its executions, oldest first."""

    table: str
    name: str
    level: str
    column: str | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class ChangeFact:
    """The rows that one cleansing verb of a table changed; `number` is its place in the table's list."""

    table: str
    number: int
    verb: str
    rows: int


@dataclass(frozen=True)
class Node:
    """A node of the lineage graph; `kind` is source, bronze, silver, …, model or scores."""

    id: str
    kind: str


@dataclass(frozen=True)
class Edge:
    """Data flows from `upstream` to `downstream` (ids of nodes); `how` names the step."""

    upstream: str
    downstream: str
    how: str = ""


@dataclass(frozen=True)
class Lineage:
    """The graph of the project's tables, models and scores."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class ModelFact:
    """The registered model and what it was made from.

    `name` is the registered name, also the model's key among the evaluation's models. `manifest`
    holds config hash, git commit, lock hash, versions read, seeds, workers: any JSON-able mapping.
    """

    name: str
    version: int | str | None = None
    champion: bool = False
    manifest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A whole run.

    `evaluation` is the mapping that training leaves: dataset, models (splits, curves), importance,
    groups, tuning, epochs; None for a run without a model. Any part of it may be missing.
    """

    title: str
    project: str
    run_id: str
    started: datetime
    finished: datetime | None
    status: str
    headlines: tuple[Fact, ...] = ()
    steps: tuple[StepFact, ...] = ()
    tables: tuple[TableFact, ...] = ()
    quarantine: tuple[QuarantineFact, ...] = ()
    rules: tuple[RuleFact, ...] = ()
    tracks: tuple[TrackFact, ...] = ()
    changes: tuple[ChangeFact, ...] = ()
    lineage: Lineage = Lineage()
    evaluation: Mapping[str, Any] | None = None
    model: ModelFact | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Report:
        """Read a report from its JSON form; unknown keys raise TypeError, times are ISO 8601."""
        kept = dict(facts)
        graph = kept.get("lineage") or {}
        model = kept.get("model")
        kept.update(
            started=_time(kept["started"]),
            finished=_time(kept.get("finished")),
            headlines=tuple(Fact(**each) for each in kept.get("headlines", ())),
            steps=tuple(StepFact(**{**each, "started": _time(each.get("started"))}) for each in kept.get("steps", ())),
            tables=tuple(TableFact(**each) for each in kept.get("tables", ())),
            quarantine=tuple(
                QuarantineFact(**{**each, "examples": _texts(each.get("examples", ()))})
                for each in kept.get("quarantine", ())
            ),
            rules=tuple(RuleFact(**each) for each in kept.get("rules", ())),
            tracks=tuple(
                TrackFact(**{**each, "marks": tuple(Mark(**mark) for mark in each.get("marks", ()))})
                for each in kept.get("tracks", ())
            ),
            changes=tuple(ChangeFact(**each) for each in kept.get("changes", ())),
            lineage=Lineage(
                tuple(Node(**each) for each in graph.get("nodes", ())),
                tuple(Edge(**each) for each in graph.get("edges", ())),
            ),
            model=ModelFact(**model) if model else None,
            notes=_texts(kept.get("notes", ())),
        )
        return cls(**kept)


def _time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(values)
