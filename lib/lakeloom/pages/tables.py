"""The report's tables: facts in, texts out, with the same number formats everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lakeloom.pages import formats, svg
from lakeloom.pages.figure import Table
from lakeloom.pages.model import DONE, FAILED, SKIPPED, ChangeFact, QuarantineFact, RuleFact, StepFact, TableFact

_MARKS = {DONE: ("✓", "good"), SKIPPED: ("–", "idle"), FAILED: ("✕", "bad")}
_SCORES = {"roc_auc": "ROC AUC", "average_precision": "Average precision", "brier": "Brier", "log_loss": "Log loss"}
_HIGHER = ("roc_auc", "average_precision")


def steps(facts: Sequence[StepFact]) -> Table:
    """List what each step did."""
    rows = tuple(
        (
            fact.name,
            fact.kind,
            status(fact.status),
            formats.count(fact.rows_in),
            formats.count(fact.rows_out),
            formats.count(fact.quarantined),
            formats.count(fact.version),
            formats.duration(fact.seconds),
            formats.size(fact.bytes),
            fact.reason,
        )
        for fact in facts
    )
    columns = ("Step", "Kind", "Status", "Rows in", "Rows out", "Quarantined", "Version", "Time", "Written", "Why")
    return Table(columns, rows, frozenset(range(3, 9)), "Steps")


def status(word: str) -> Markup:
    """Write a status with a mark, so that it does not rest on colour alone."""
    mark, style = _MARKS.get(word, ("•", "other"))
    return svg.tag("span", svg.tag("span", mark, aria_hidden="true"), f" {word}", class_=f"status {style}")


def tables(facts: Sequence[TableFact]) -> Table | None:
    """List tables with version, rows and bytes, the rows with a bar."""
    if not facts:
        return None
    most = max([fact.rows or 0 for fact in facts] + [1])
    rows = tuple(
        (
            fact.name,
            formats.count(fact.version),
            formats.count(fact.rows),
            _bar((fact.rows or 0) / most),
            formats.size(fact.bytes),
        )
        for fact in facts
    )
    return Table(("Table", "Version", "Rows", "", "Size"), rows, frozenset({1, 2, 4}), "Tables after the run")


def quarantine(facts: Sequence[QuarantineFact]) -> Table | None:
    """List the rows in quarantine with some of the reasons."""
    known = sorted((fact for fact in facts if fact.rows), key=lambda fact: (-fact.rows, fact.table, fact.rule))
    rows = tuple(
        (fact.table, fact.rule, formats.count(fact.rows), Markup("<br>").join(fact.examples)) for fact in known
    )
    return Table(("Table", "Rule", "Rows", "Reasons given"), rows, frozenset({2}), "Quarantine") if rows else None


def rules(facts: Sequence[RuleFact]) -> Table | None:
    """List the rules' results, broken ones first."""
    rows = tuple(
        (
            fact.table,
            fact.name,
            fact.column or formats.UNKNOWN,
            fact.level,
            svg.tag(
                "span",
                svg.tag("span", "✓" if fact.passed else "✕", aria_hidden="true"),
                " passed" if fact.passed else " broken",
                class_=f"status {'good' if fact.passed else 'bad' if fact.level == 'fail' else 'warn'}",
            ),
            formats.count(fact.rows),
            formats.count(fact.broken),
            _part(fact.broken, fact.rows),
        )
        for fact in sorted(facts, key=lambda fact: (fact.passed, fact.table, fact.name))
    )
    columns = ("Table", "Rule", "Column", "Otherwise", "Result", "Rows", "Broken", "Share")
    return Table(columns, rows, frozenset({5, 6, 7}), "Rules") if rows else None


def changes(facts: Sequence[ChangeFact]) -> Table | None:
    """List how many rows each cleansing verb changed, in the verbs' order."""
    rows = tuple((fact.table, formats.count(fact.number), fact.verb, formats.count(fact.rows)) for fact in facts)
    return Table(("Table", "No.", "Verb", "Rows changed"), rows, frozenset({1, 3}), "Cleansing") if rows else None


def splits(facts: Mapping[str, Any]) -> list[str]:
    """Return the names of all splits that the evaluation speaks of, in its order."""
    seen = list((facts.get("dataset") or {}).get("rows") or {})
    for model in (facts.get("models") or {}).values():
        seen += list((model or {}).get("splits") or {})
    return list(dict.fromkeys(str(each) for each in seen))


def base_rate(facts: Mapping[str, Any], split: str) -> float | None:
    """Return the share of positives in a split, from the dataset or else from any model's scores on it."""
    data = facts.get("dataset") or {}
    counts = [((data.get("positives") or {}).get(split), (data.get("rows") or {}).get(split))]
    for model in (facts.get("models") or {}).values():
        scores = ((model or {}).get("splits") or {}).get(split) or {}
        counts.append((scores.get("positives"), scores.get("rows")))
    for positives, rows in counts:
        part, whole = formats.number(positives), formats.number(rows)
        if part is not None and whole:
            return part / whole
    return None


def dataset(facts: Mapping[str, Any]) -> Table | None:
    """List the dataset's splits with their rows and positives."""
    data = facts.get("dataset") or {}
    counted, positives = data.get("rows") or {}, data.get("positives") or {}
    rows = tuple(
        (
            str(name),
            formats.count(counted[name]),
            formats.count(positives.get(name)),
            _part(positives.get(name), counted[name]),
        )
        for name in counted
    )
    return Table(("Split", "Rows", "Positive", "Share"), rows, frozenset({1, 2, 3}), "Dataset") if rows else None


def models(found: Mapping[str, Any], look: Mapping[str, str], names: Sequence[str]) -> Table | None:
    """List every model's scores on the splits that have any, the best of each column marked."""
    scored = [name for name in names if any(((m.get("splits") or {}).get(name) or {}) for m in found.values())]
    scored = [name for name in scored if name != "train"] or scored
    columns = [(split, score) for split in scored for score in _SCORES]
    if not columns:
        return None
    values = {name: [_score(found[name], *column) for column in columns] for name in look}
    tops = [_top([values[name][index] for name in look], score) for index, (_, score) in enumerate(columns)]
    rows = []
    for name in look:
        cells = [
            _marked(value, value is not None and value == top) for value, top in zip(values[name], tops, strict=True)
        ]
        label = svg.tag(
            "span", svg.tag("span", "", class_=f"swatch {look[name]}", aria_hidden="true"), name, class_="model"
        )
        rows.append(
            (
                label,
                str(found[name].get("kind") or formats.UNKNOWN),
                *cells,
                formats.duration(found[name].get("seconds")),
            )
        )
    titles = [f"{_SCORES[score]}, {split}" for split, score in columns]
    return Table(("Model", "Kind", *titles, "Fitted in"), tuple(rows), frozenset(range(2, 3 + len(columns))), "Models")


def best(found: Mapping[str, Any], lead: str | None, split: str) -> dict[str, Any] | None:
    """Return the leading model's scores beside the best of the others, for the opening sentence."""
    if lead is None or _score(found[lead], split, "average_precision") is None:
        return None
    others = {name: _score(model, split, "average_precision") for name, model in found.items() if name != lead}
    known = {name: score for name, score in others.items() if score is not None}
    rival = max(known, key=lambda name: known[name], default=None)
    return {
        "roc_auc": _score(found[lead], split, "roc_auc"),
        "average_precision": _score(found[lead], split, "average_precision"),
        "rival": rival,
        "rival_precision": known[rival] if rival else None,
    }


def manifest(facts: Mapping[str, Any]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the manifest as (label, entries); a plain value is one entry with an empty name."""
    found = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            entries = tuple((str(name), _value(each)) for name, each in value.items())
        else:
            entries = (("", _value(value)),)
        found.append((formats.words(str(key)), entries))
    return tuple(found)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_value(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(each) for each in value)
    return formats.setting(value)


def _score(model: Mapping[str, Any], split: str, score: str) -> float | None:
    return formats.number(((model.get("splits") or {}).get(split) or {}).get(score))


def _top(values: Sequence[float | None], score: str) -> float | None:
    known = [value for value in values if value is not None]
    if len(set(known)) < 2:
        return None
    return max(known) if score in _HIGHER else min(known)


def _marked(value: float | None, top: bool) -> str | Markup:
    written = formats.metric(value)
    return svg.tag("strong", written, title="the best of this column") if top else written


def _part(some: Any, whole: Any) -> str:
    part, total = formats.number(some), formats.number(whole)
    return formats.share(part / total) if part is not None and total else formats.UNKNOWN


def _bar(part: float) -> Markup:
    return svg.tag(
        "span",
        svg.tag("span", "", style=f"width:{max(part * 100, 0.5 if part else 0):.1f}%"),
        class_="cellbar",
        aria_hidden="true",
    )
