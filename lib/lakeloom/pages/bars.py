"""Plots with a row for each thing: importance, groups, models with intervals, quarantine, steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lakeloom.pages import formats, svg
from lakeloom.pages.figure import Figure, Key, Table
from lakeloom.pages.model import DONE, FAILED, SKIPPED, QuarantineFact, StepFact
from lakeloom.pages.svg import Scale

_FEW = 30  # below this many positives a group's scores are drawn hollow: they move by chance
_MOST = 20  # rows drawn of a long list; its table holds all of them
_HALF = 540.0


def importance(found: Sequence[Mapping[str, Any]], on: str, scored_by: str) -> Figure | None:
    """Draw how far the score falls when one feature is shuffled, largest first, with its deviation."""
    rows = [
        (str(each.get("feature", "")), formats.number(each.get("drop")), formats.number(each.get("std")) or 0.0)
        for each in found
    ]
    known = sorted(((name, drop, std) for name, drop, std in rows if drop is not None), key=lambda row: -row[1])
    if not known:
        return None
    shown = known[:_MOST]
    ends = [drop + std for _, drop, std in shown] + [drop - std for _, drop, std in shown]
    x = Scale(min(0.0, *ends), max(0.0, *ends) * 1.02 or 1.0, 204, _HALF - 16)
    drawn = [_ruler(x, 12, 12 + 22 * len(shown), f"Fall in {scored_by}")]
    for index, (name, drop, std) in enumerate(shown):
        y = 12 + 22 * index
        drawn += [
            _name(name, 196, y + 15, 25),
            svg.tag(
                "rect",
                svg.tip(f"{name}: {drop:.4f} ± {std:.4f}"),
                x=min(x(0), x(drop)),
                y=y + 4,
                width=max(abs(x(drop) - x(0)), 1),
                height=14,
                rx=2,
                class_="bar mark s0",
            ),
            svg.line(x(drop - std), y + 11, x(drop + std), y + 11, class_="error"),
        ]
    more = f" The first {_MOST} of {len(known)}; the table has all." if len(known) > _MOST else ""
    table = Table(
        ("Feature", "Drop", "Deviation"),
        tuple((name, formats.metric(drop), formats.metric(std)) for name, drop, std in known),
        frozenset({1, 2}),
        "Permutation importance",
    )
    return Figure(
        "Permutation importance",
        svg.canvas(drawn, _HALF, 12 + 22 * len(shown) + 46, "Permutation importance of features"),
        f"How far {scored_by} falls on {on} when a feature's values are shuffled; lines are one standard "
        f"deviation over the repeats.{more}",
        table=table,
    )


def groups(by: str, found: Sequence[Mapping[str, Any]], on: str) -> Figure | None:
    """Draw both scores for each value of a group; hollow where there are too few positives to trust."""
    known = [each for each in found if formats.number(each.get("rows"))]
    if not known:
        return None
    ordered = _in_order(known)
    shown = ordered[: 2 * _MOST]
    x = Scale(0, 1, 112, _HALF - 118)
    bottom = 12 + 20 * len(shown)
    drawn = [
        _ruler(x, 12, bottom, "Score"),
        svg.text(_HALF - 4, 8, "rows", class_="note", text_anchor="end"),
        svg.text(_HALF - 58, 8, "positive", class_="note", text_anchor="end"),
    ]
    for index, each in enumerate(shown):
        y = 12 + 20 * index + 10
        rows, positives = formats.number(each["rows"]) or 0.0, formats.number(each.get("positives"))
        rate = positives / rows if positives is not None else None
        name = f"{by} {each.get('value')}"
        drawn.append(_name(str(each.get("value")), 104, y + 4, 15))
        scores = [formats.number(each.get(key)) for key in ("average_precision", "roc_auc")]
        if all(score is not None for score in scores):
            drawn.append(svg.line(x(scores[0] or 0), y, x(scores[1] or 0), y, class_="span"))
        if rate is not None:
            drawn.append(svg.line(x(rate), y - 6, x(rate), y + 6, class_="tickmark"))
        few = " few" if positives is not None and positives < _FEW else ""
        for score, label, style in zip(scores, ("average precision", "ROC AUC"), ("s1", "s0"), strict=True):
            if score is not None:
                said = f"{name}: {label} {score:.3f}, {rows:,.0f} rows, {formats.share(rate)} positive"
                drawn.append(
                    svg.tag("circle", svg.tip(said), cx=x(score), cy=y, r=4.5, class_=f"dot mark {style}{few}")
                )
        drawn.append(svg.text(_HALF - 58, y + 4, formats.share(rate), class_="tick", text_anchor="end"))
        drawn.append(svg.text(_HALF - 4, y + 4, formats.count(rows), class_="tick", text_anchor="end"))
    table = Table(
        (formats.words(by), "Rows", "Positives", "ROC AUC", "Average precision"),
        tuple(
            (
                str(each.get("value")),
                formats.count(each.get("rows")),
                formats.count(each.get("positives")),
                formats.metric(each.get("roc_auc")),
                formats.metric(each.get("average_precision")),
            )
            for each in ordered
        ),
        frozenset({1, 2, 3, 4}),
        f"Scores by {formats.words(by).lower()}",
    )
    return Figure(
        f"By {formats.words(by).lower()}",
        svg.canvas(drawn, _HALF, bottom + 46, f"Scores by {by}"),
        f"On {on}. Ticks mark each group's base rate; hollow dots rest on fewer than {_FEW} positives.",
        (Key("s0", "ROC AUC"), Key("s1", "average precision"), Key("s-base", "base rate")),
        table,
    )


def intervals(models: Mapping[str, Any], look: Mapping[str, str], split: str, score: str, title: str) -> Figure | None:
    """Draw one score of the models with its interval, best first.

    The base rate is left to the table: beside it, the differences that matter could not be seen.
    """
    rows: list[tuple[str, float, list[float | None] | None]] = []
    compared = [name for name in look if look[name] != "s-base"] or list(look)
    for name in compared:
        scores = (models[name].get("splits") or {}).get(split) or {}
        value = formats.number(scores.get(score))
        found = [formats.number(end) for end in (scores.get("interval") or {}).get(score) or ()]
        if value is not None:
            rows.append((name, value, found if len(found) == 2 and None not in found else None))
    if not rows:
        return None
    rows.sort(key=lambda row: -row[1])
    every = [value for _, value, _ in rows] + [end or 0.0 for _, _, pair in rows for end in pair or ()]
    x = Scale.around(every, 140, _HALF - 70)
    bottom = 10 + 30 * len(rows)
    drawn = [_ruler(x, 10, bottom, title)]
    for index, (name, value, ends) in enumerate(rows):
        y = 10 + 30 * index + 15
        said = f"{name}: {value:.4f}"
        drawn.append(_name(name, 130, y + 4, 20))
        if ends:
            low, high = ends[0] or 0.0, ends[1] or 0.0
            said += f", interval {low:.4f} to {high:.4f}"
            drawn.append(svg.line(x(low), y, x(high), y, class_=f"range {look[name]}"))
        drawn.append(svg.tag("circle", svg.tip(said), cx=x(value), cy=y, r=5.5, class_=f"dot mark {look[name]}"))
        drawn.append(svg.text(_HALF - 6, y + 4, formats.metric(value), class_="value", text_anchor="end"))
    lead = "Lines are intervals; the axis does not begin at zero." if any(pair for _, _, pair in rows) else ""
    label = f"{title} of the models on {split}"
    return Figure(f"{title} on {split}", svg.canvas(drawn, _HALF, bottom + 46, label), lead)


def quarantined(facts: Sequence[QuarantineFact]) -> Figure | None:
    """Draw the rows in quarantine by rule, most first."""
    known = sorted((fact for fact in facts if fact.rows > 0), key=lambda fact: (-fact.rows, fact.table, fact.rule))
    if not known:
        return None
    shown = known[:_MOST]
    width, left = 1120.0, 380.0
    x = Scale(0, max(fact.rows for fact in shown), left, width - 80)
    drawn = []
    for index, fact in enumerate(shown):
        y = 4 + 26 * index
        drawn += [
            _name(f"{fact.table} · {fact.rule}", left - 10, y + 17, 56),
            svg.tag(
                "rect",
                svg.tip(f"{fact.table}, {fact.rule}: {fact.rows:,} rows"),
                x=left,
                y=y + 4,
                width=max(x(fact.rows) - left, 2.0),
                height=17,
                rx=2,
                class_="bar mark s-warn",
            ),
            svg.text(x(fact.rows) + 7, y + 17, formats.count(fact.rows), class_="value"),
        ]
    return Figure(
        "Rows in quarantine by rule",
        svg.canvas(drawn, width, 8 + 26 * len(shown), "Rows in quarantine by rule"),
        span="full",
    )


def timeline(steps: Sequence[StepFact]) -> Figure | None:
    """Draw when each step ran and what it wrote; without starting times the bars begin at zero."""
    timed = [step for step in steps if formats.number(step.seconds) is not None]
    if not timed:
        return None
    starts = [step.started for step in timed if step.started is not None]
    placed = len(starts) == len(timed)
    offsets = [(step.started - min(starts)).total_seconds() if placed and step.started else 0.0 for step in timed]
    if not placed:
        timed = sorted(timed, key=lambda step: -(step.seconds or 0.0))
    width, left, split = 1120.0, 250.0, 800.0
    x = Scale(0, max(at + (step.seconds or 0.0) for at, step in zip(offsets, timed, strict=True)) or 1.0, left, split)
    most = max([step.bytes or 0 for step in timed] + [1])
    wide = Scale(0, most, split + 100, width - 74)
    bottom = 24 + 22 * len(timed)
    drawn = [
        _ruler(x, 24, bottom, "Time since the first step began" if placed else "Time", _clock(x)),
        svg.text(left, 14, "time", class_="column"),
        svg.text(wide.start, 14, "bytes written", class_="column"),
    ]
    for index, (at, step) in enumerate(zip(offsets, timed, strict=True)):
        y, seconds = 24 + 22 * index, step.seconds or 0.0
        said = f"{step.name}: {step.status}, {formats.duration(seconds)}" + (f" – {step.reason}" if step.reason else "")
        end = x(at + seconds)
        drawn += [
            _name(step.name, left - 10, y + 15, 34),
            svg.tag(
                "rect",
                svg.tip(said),
                x=x(at),
                y=y + 4,
                width=max(end - x(at), 2.0),
                height=14,
                rx=2,
                class_=f"bar mark {_STATUS.get(step.status, 's0')}",
            ),
            svg.text(end + 6, y + 15, formats.duration(seconds), class_="value"),
        ]
        if step.bytes:
            drawn += [
                svg.tag(
                    "rect",
                    svg.tip(f"{step.name}: {step.bytes:,} bytes"),
                    x=wide.start,
                    y=y + 4,
                    width=max(wide(step.bytes) - wide.start, 2.0),
                    height=14,
                    rx=2,
                    class_="bar mark s2",
                ),
                svg.text(wide(step.bytes) + 6, y + 15, formats.size(step.bytes), class_="value"),
            ]
    seen = [
        key
        for status, key in (
            ("done", Key("s0", "done")),
            (SKIPPED, Key("s-base", "skipped")),
            (FAILED, Key("s-fail", "failed")),
        )
        if any(s.status == status for s in timed)
    ]
    return Figure(
        "Time and bytes by step",
        svg.canvas(drawn, width, bottom + 46, "Seconds and bytes by step"),
        legend=tuple(seen),
        span="full",
    )


_STATUS = {DONE: "s0", SKIPPED: "s-base", FAILED: "s-fail"}


def _clock(x: Scale) -> dict[float, str]:
    """Return the marks of a time axis: seconds below two minutes, else whole parts of minutes or hours."""
    if x.high < 120:
        write = svg.digits(x)
        return {value: f"{write(value)} s" for value in x.ticks()}
    step = next((each for each in (30, 60, 120, 300, 600, 1800, 3600) if x.high / each <= 8), 3600)
    marks = range(0, int(x.high) + 1, max(step, step * round(x.high / step / 8)))
    unit, name = (60, "min") if x.high < 7200 else (3600, "h")
    return {float(value): f"{value / unit:g} {name}" for value in marks}


def _ruler(x: Scale, top: float, bottom: float, label: str, marks: Mapping[float, str] | None = None) -> Markup:
    """Draw the grid and the axis below rows; `marks` stands in for round values."""
    write = svg.digits(x)
    drawn = []
    for value, words in (marks or {each: write(each) for each in x.ticks()}).items():
        drawn.append(svg.line(x(value), top, x(value), bottom, class_="grid"))
        drawn.append(svg.text(x(value), bottom + 17, words, class_="tick", text_anchor="middle"))
    if x.low < 0 < x.high:
        drawn.append(svg.line(x(0), top, x(0), bottom, class_="axis"))
    drawn.append(svg.text((x.start + x.stop) / 2, bottom + 36, label, class_="label", text_anchor="middle"))
    return svg.group(drawn, aria_hidden="true")


def _name(name: str, x: float, y: float, most: int) -> Markup:
    """Write a row's name to the left of `x`, cut to `most` characters with the whole in its tip."""
    if len(name) <= most:
        return svg.text(x, y, name, class_="row", text_anchor="end")
    return svg.tag("text", svg.tip(name), name[: most - 1] + "…", x=x, y=y, class_="row mark", text_anchor="end")


def _in_order(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Sort by value where values are numbers or dates (they start with a digit), else by rows, most first."""
    texts = [str(each.get("value")) for each in found]
    if all(text[:1].isdigit() for text in texts) and len({len(text) for text in texts}) <= 2:
        return sorted(found, key=lambda each: (len(str(each.get("value"))), str(each.get("value"))))
    return sorted(found, key=lambda each: (-(formats.number(each.get("rows")) or 0.0), str(each.get("value"))))
