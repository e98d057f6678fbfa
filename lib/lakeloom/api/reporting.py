"""What a run's report shows, collected as plain data, and the page written from it.

All of it comes from what the run left behind (its log, ``meta``, the intents' facts, Delta's logs),
so that a report can be written again at any later time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.api.judgements import rules as rules_over_time
from lakeloom.api.runs import events, newest
from lakeloom.core.errors import RunError
from lakeloom.lineage.graph import Lineage
from lakeloom.objects.path import Location, beside
from lakeloom.store.intents import Intents, Record, replace
from lakeloom.store.lake import Lake

if TYPE_CHECKING:
    from lakeloom.api.quarantine import RuleCount
    from lakeloom.pages.model import ModelFact, Report, TrackFact
    from lakeloom.quality.timeline import RuleOverTime


def write(
    lake: Lake,
    project: str,
    lineage: Lineage,
    good: Mapping[str, int],
    quarantine: Sequence[RuleCount],
    run: str | None,
) -> Path:
    """Write ``<root>/runs/<run>/report.html`` and return its path; raises LL-RUN-003 for an unknown run."""
    from lakeloom.pages.report import render

    report = collect(lake, project, lineage, good, quarantine, run)
    path = beside(lake.root) / "runs" / report.run_id / "report.html"
    replace(path, render(report))
    return path


def collect(
    lake: Lake,
    project: str,
    lineage: Lineage,
    good: Mapping[str, int],
    quarantine: Sequence[RuleCount],
    run: str | None,
) -> Report:
    """Return the facts of a run, by default of the newest.

    Tables, quarantine and the model are shown as they stand now; steps and rules as the run had them.
    """
    from lakeloom.pages import model as page

    chosen = run or newest(lake.root)
    if chosen is None:
        raise RunError("LL-RUN-003", "there is no run yet", fix="'lakeloom run' makes one")
    log = events(lake.root, chosen)
    ended = next((entry for entry in reversed(log) if entry["event"] == "run ended"), None)
    started = datetime.fromisoformat(log[0]["at"])
    steps = tuple(_step(entry) for entry in log if entry["event"] in _STEP_EVENTS)
    trained = {**_trained(lake.root, None), **_trained(lake.root, chosen)}
    name, record = next(iter(trained.items()), ("", None))
    return page.Report(
        title=project,
        project=project,
        run_id=chosen,
        started=started,
        finished=datetime.fromisoformat(ended["at"]) if ended else None,
        status=ended["status"] if ended else "stopped",
        steps=steps,
        tables=tuple(_tables(lake, good)),
        quarantine=tuple(page.QuarantineFact(each.table, each.rule, each.rows) for each in quarantine),
        rules=tuple(_rules(lake.root, chosen, steps)),
        tracks=tracks(rules_over_time(lake.root)),
        changes=tuple(each for entry in log if entry["event"] == "step done" for each in _changes(entry)),
        lineage=page.Lineage(
            tuple(page.Node(node.id, _kind(node.id, node.kind)) for node in lineage.nodes),
            tuple(page.Edge(edge.source, edge.target, edge.how) for edge in lineage.edges),
        ),
        evaluation=(record.facts or {}).get("evaluation") if record else None,
        model=_model(name, record) if record else None,
        notes=tuple((record.facts or {}).get("notes", ())) if record else (),
    )


def tracks(found: Sequence[RuleOverTime]) -> tuple[TrackFact, ...]:
    """Return rules over time as a page shows them."""
    from lakeloom.pages.model import Mark, TrackFact

    return tuple(
        TrackFact(
            each.table, each.rule, each.level, each.column,
            tuple(Mark(one.outcome, one.run, one.at, one.rows, one.broken) for one in each.judgements),
        )
        for each in found
    )  # fmt: skip


def evaluations(root: Location, run: str | None = None) -> dict[str, dict[str, Any]]:
    """Return model → evaluation facts of the trainings of `run`, or of every model's newest training."""
    found = {name: (record.facts or {}).get("evaluation") for name, record in _trained(root, run).items()}
    return {name: facts for name, facts in found.items() if facts}


_STEP_EVENTS = ("step done", "step skipped", "step failed", "step blocked")


def _trained(root: Location, run: str | None) -> dict[str, Record]:
    intents = Intents(root)
    found = {}
    for step in intents.steps():
        if step.startswith("models."):
            record = intents.published(step)
            if record is not None and run in (None, record.intent.run):
                found[step.removeprefix("models.")] = record
    return found


def _step(entry: Mapping[str, Any]) -> Any:
    from lakeloom.pages.model import StepFact

    names = ("name", "kind", "status", "reason", "rows_in", "rows_out", "quarantined", "version", "seconds", "bytes")
    known: dict[str, Any] = {name: entry[name] for name in names if entry.get(name) is not None}
    began = datetime.fromisoformat(entry["at"]) - timedelta(seconds=entry.get("seconds") or 0)
    return StepFact(**known, started=began)


def _changes(entry: Mapping[str, Any]) -> list[Any]:
    from lakeloom.pages.model import ChangeFact

    found = []
    for name, rows in (entry.get("changed") or {}).items():
        number, _, verb = name.partition("_")
        found.append(ChangeFact(entry["name"], int(number), verb, rows))
    return found


def _tables(lake: Lake, good: Mapping[str, int]) -> list[Any]:
    from lakeloom.pages.model import TableFact

    found = []
    for name in lake.tables():
        if str(name) in good:
            size = lake.size(name, good[str(name)])
            found.append(TableFact(str(name), good[str(name)], size.rows, size.bytes))
    return found


def _rules(root: Location, run: str, steps: tuple[Any, ...]) -> list[Any]:
    from lakeloom.pages.model import RuleFact

    found = []
    for step in steps:
        record = Intents(root).published(step.name) if step.status == "done" else None
        if record is None or record.intent.run != run:
            continue
        names = ("name", "level", "passed", "column", "rows", "broken")
        rules = (record.facts or {}).get("rules", [])
        found += [RuleFact(step.name, **{name: rule.get(name) for name in names}) for rule in rules]
    return found


def _kind(name: str, kind: str) -> str:
    layer = name.partition(".")[0]
    return layer if kind == "table" else kind


def _model(name: str, record: Record) -> ModelFact:
    from lakeloom.pages.model import ModelFact

    facts = record.facts or {}
    manifest = facts.get("manifest") or {
        "code": record.intent.code,
        "seed": record.intent.seed,
        "reads": record.intent.reads,
        "run": record.intent.run,
    }
    return ModelFact(name, facts.get("version"), bool(facts.get("champion")), manifest)
