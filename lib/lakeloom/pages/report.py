"""The report of a run: one HTML file that holds all it needs.

No request leaves it (no font, no script, no image from elsewhere; a content security policy allows
only the one script inside, by its hash), so it can be mailed, archived and opened in ten years.
It follows the reader's light or dark scheme, prints, and every plot has its numbers as a table.
Every text is data: it is cleaned of control characters, masked against secrets and escaped. A
section with nothing to say is left out, apart from the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakeloom.pages import bars, curves, formats, lineage, strips, tables, trials
from lakeloom.pages.document import asset, cleaned, digest, template
from lakeloom.pages.figure import Figure
from lakeloom.pages.model import DONE, FAILED, SKIPPED, Report


def render(report: Report) -> str:
    """Write the report as HTML.

    Parameters
    ----------
    report : Report
        The run's facts; empty parts and numbers that are None or not finite are fine.

    Returns
    -------
    str
        A whole HTML document, to be written as UTF-8.
    """
    clean: Report = cleaned(report)
    style, script = asset("report.css"), asset("report.js")
    return template("report.html.j2").render(
        report=clean,
        formats=formats,
        style=style,
        script=script,
        digest=digest(script),
        status=_STATUS.get(clean.status, "other"),
        statuses=_STATUS,
        elapsed=(clean.finished - clean.started).total_seconds() if clean.finished else None,
        tally=_tally(clean),
        failed=[step for step in clean.steps if step.status == FAILED],
        evaluation=_evaluation(clean),
        timeline=bars.timeline(clean.steps),
        steps=tables.steps(clean.steps),
        tables=tables.tables(clean.tables),
        quarantine=bars.quarantined(clean.quarantine),
        quarantined=tables.quarantine(clean.quarantine),
        rules=tables.rules(clean.rules),
        tracks=strips.tracks(clean.tracks),
        keys=strips.KEYS,
        changes=tables.changes(clean.changes),
        broken=[rule for rule in clean.rules if not rule.passed],
        graph=lineage.graph(clean.lineage),
        manifest=tables.manifest(clean.model.manifest) if clean.model else (),
    )


_STATUS = {DONE: "good", "ok": "good", "succeeded": "good", SKIPPED: "idle", FAILED: "bad", "stopped": "bad"}


def _evaluation(report: Report) -> dict[str, Any]:
    """Return what the model's sections show: figures without the ones that have no data, and tables."""
    facts = report.evaluation or {}
    models: Mapping[str, Any] = {name: facts_ or {} for name, facts_ in (facts.get("models") or {}).items()}
    lead = report.model.name if report.model and report.model.name in models else next(iter(models), None)
    look = curves.styles(models, lead)
    splits = tables.splits(facts)
    split = str(facts.get("on") or ("test" if "test" in splits or not splits else splits[-1]))
    base = tables.base_rate(facts, split)
    by: dict[str, list[Mapping[str, Any]]] = {}
    for each in facts.get("groups") or ():
        by.setdefault(str(each.get("by")), []).append(each)
    scored_by = formats.words(str(facts.get("importance_metric") or "average precision")).lower()
    epochs = facts.get("epochs") or ()
    return {
        "lead": lead,
        "split": split,
        "base": base,
        "best": tables.best(models, lead, split),
        "models": tables.models(models, look, splits),
        "dataset": tables.dataset(facts),
        "scores": _present(
            bars.intervals(models, look, split, "roc_auc", "ROC AUC"),
            bars.intervals(models, look, split, "average_precision", "Average precision"),
            curves.roc(models, look, split),
            curves.precision_recall(models, look, split, base),
            curves.calibration(models, look, split),
        ),
        "importance": _present(bars.importance(facts.get("importance") or (), split, scored_by)),
        "groups": _present(*(bars.groups(name, found, split) for name, found in by.items())),
        "training": _present(trials.history(facts.get("tuning") or ()), curves.losses(epochs), curves.progress(epochs)),
    }


def _present(*figures: Figure | None) -> tuple[Figure, ...]:
    return tuple(figure for figure in figures if figure is not None)


def _tally(report: Report) -> list[tuple[str, int]]:
    """Count the steps by status, in the order done, skipped, failed, others."""
    seen = [step.status for step in report.steps]
    order = [*(DONE, SKIPPED, FAILED), *sorted(set(seen) - {DONE, SKIPPED, FAILED})]
    return [(status, seen.count(status)) for status in order if status in seen]
