"""After the walk: how fresh the tables are, people are told, figures are published. None of it ever fails a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from lakeloom.config.placeholders import resolve
from lakeloom.core.errors import LakeloomError
from lakeloom.core.posting import post
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.emit import emit
from lakeloom.flow.freshness import Freshness, freshness
from lakeloom.flow.journal import Journal
from lakeloom.flow.result import RunResult
from lakeloom.flow.sending import attempt, plain
from lakeloom.flow.tell import tell
from lakeloom.notify.delivery import Delivery
from lakeloom.notify.events import EventKind
from lakeloom.project.spec import Project
from lakeloom.store import refs
from lakeloom.store.intents import replace
from lakeloom.telemetry import otlp, prometheus
from lakeloom.telemetry.facts import RunFacts, facts
from lakeloom.telemetry.samples import samples


def after(
    context: Context,
    steps: Sequence[Step],
    result: RunResult,
    journal: Journal,
    *,
    only: Collection[EventKind] | None = None,
) -> list[Delivery]:
    """Tell and publish what a run did.

    Parameters
    ----------
    only : collection of {'failure', 'late', 'quarantine', 'success'}, optional
        What people are told of: less of a slice of a backfill, and of a replay, whose share of broken rows says
        nothing about the table's.

    Returns
    -------
    list of Delivery
        What became of each message, and what of the figures and the lineage could not be published.
    """
    fresh = _fresh(context, steps, journal)
    told = tell(context, steps, result, fresh, journal, only=only)
    about = facts(journal.events, run=result.run_id, project=context.project.name, env=context.project.settings.env)
    return [*told, *publish(context.project, about, journal), *emit(context, steps, result, journal)]


def publish(
    project: Project, about: RunFacts, journal: Journal, *, pause: Callable[[float], None] = time.sleep
) -> list[Delivery]:
    """Write the textfile and send metrics and trace to the collector; return what could not be delivered."""
    spec = project.settings.metrics
    if spec is None:
        return []
    found = samples(about)
    works: list[tuple[str, Callable[[], None]]] = []
    if spec.textfile:
        works.append(("metrics textfile", partial(_write, project, spec.textfile, prometheus.text(found))))
    if spec.otlp:
        bodies = {"metrics": otlp.metrics(about, found), "traces": otlp.trace(about)}
        works += [(f"metrics otlp {name}", partial(_post, project, name, body)) for name, body in bodies.items()]
    failed = []
    for channel, work in works:
        attempts, error = attempt(work, spec.attempts, "metrics", pause)
        if error is not None:
            delivery = Delivery(channel, False, attempts, f"figures of run {about.run}", error)
            failed.append(delivery)
            journal.log("not published", **delivery.as_dict())
    return failed


def _write(project: Project, file: str, text: str) -> None:
    target = project.home / str(plain(resolve(file, "metrics.textfile")))
    replace(target, text)
    Path(target).chmod(0o644)  # the exporter is another user


def _post(project: Project, name: str, body: object) -> None:
    import json

    spec = project.settings.metrics
    assert spec is not None
    url = plain(resolve(spec.otlp, "metrics.otlp")).rstrip("/") + f"/v1/{name}"
    headers = {key: plain(resolve(value, "metrics.headers")) for key, value in spec.headers.items()}
    content = json.dumps(body).encode()
    headers |= {"Content-Type": "application/json"}
    post(url, content, headers, timeout_s=spec.timeout_s, where=f"metrics otlp {name}")


def _fresh(context: Context, steps: Sequence[Step], journal: Journal) -> list[Freshness]:
    """Return how fresh the tables are that the run had to do with, and note it in the log."""
    written = {table for step in steps for table in step.writes}
    try:
        found = freshness(context.project, context.lake, refs.good(context.lake), datetime.now(UTC))
    except LakeloomError as error:  # a table whose log is damaged; the step that met it has told it already
        journal.log("freshness unknown", error=error.as_dict())
        return []
    found = [each for each in found if each.table in written]
    if found:
        journal.log("freshness", tables=[each.as_dict() for each in found])
    return found
