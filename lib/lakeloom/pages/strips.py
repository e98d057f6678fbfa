"""Rules over time: a strip of bars for each, one bar an execution, and the table that holds them.

What an execution came to shows in a bar's height as well as in its colour; its tip tells run, time and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from lakeloom.pages import formats, svg
from lakeloom.pages.figure import Key, Table
from lakeloom.pages.model import Mark, TrackFact

# Outcome → height of its bar; the worse, the taller.
_HEIGHTS = {"passed": 4.0, "warned": 9.0, "quarantined": 13.0, "failed": 18.0}
_TALLEST, _STEP = 18.0, 6.0
KEYS = tuple(Key(f"o-{outcome}", outcome) for outcome in _HEIGHTS)


def strip(marks: Sequence[Mark]) -> Markup:
    """Draw the bars."""
    bars, at = [], 0
    # Executions that passed are one bar together: of long histories most are, and a page has many.
    for _, run in groupby(enumerate(marks), key=lambda pair: -1 if pair[1].outcome == "passed" else pair[0]):
        same = [mark for _, mark in run]
        height = _HEIGHTS.get(same[0].outcome, _TALLEST)
        place = {"x": at * _STEP, "y": _TALLEST - height, "width": len(same) * _STEP - 1, "height": height}
        bars.append(svg.tag("rect", svg.tip(_told(same)), class_=f"mark o-{same[0].outcome}", **place))
        at += len(same)
    width = max(len(marks) * _STEP, 1.0)
    counts = {outcome: sum(mark.outcome == outcome for mark in marks) for outcome in _HEIGHTS}
    label = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    box = f"0 0 {width:g} {_TALLEST:g}"
    return svg.tag(
        "svg", *bars, viewBox=box, width=width, height=_TALLEST, role="img", aria_label=label, class_="strip"
    )


def _told(same: Sequence[Mark]) -> str:
    first, last = same[0], same[-1]
    if len(same) > 1:
        return f"{first.outcome}, {len(same)} times\n{_time(first)} to\n{_time(last)} UTC"
    of = f", {first.broken:,} of {first.rows:,} rows" if first.broken else ""
    return f"{first.outcome}{of}\n{_time(first)} UTC\n{first.run}"


def _time(mark: Mark) -> str:
    return mark.at[:19].replace("T", " ")


def tracks(facts: Sequence[TrackFact], *, of_one: bool = False) -> Table | None:
    """List rules with what came of them, those that did not pass last time first; of one table without its name."""
    known = sorted((fact for fact in facts if fact.marks), key=_order)
    rows = tuple(
        (
            *(() if of_one else (fact.table,)),
            fact.name,
            fact.level,
            strip(fact.marks),
            outcome(fact.marks[-1].outcome),
            formats.count(fact.marks[-1].broken),
            formats.count(fact.marks[-1].rows),
            formats.share(fact.marks[-1].broken / fact.marks[-1].rows if fact.marks[-1].rows else None),
            f"{sum(mark.outcome == 'passed' for mark in fact.marks)} of {len(fact.marks)}",
        )
        for fact in known
    )
    columns: tuple[str, ...] = ("Table", "Rule", "Otherwise", "Over time", "Last", "Broken", "Rows", "Share", "Passed")
    columns = columns[1:] if of_one else columns
    numeric = frozenset(range(len(columns) - 4, len(columns)))
    return Table(columns, rows, numeric, "Rules over time") if rows else None


def _order(fact: TrackFact) -> tuple[float, str, str]:
    return -_HEIGHTS.get(fact.marks[-1].outcome, _TALLEST), fact.table, fact.name


def outcome(word: str) -> Markup:
    """Write an outcome with a mark, so that it does not rest on colour alone."""
    mark, style = {"passed": ("✓", "good"), "warned": ("!", "warn"), "quarantined": ("→", "warn")}.get(
        word, ("✕", "bad")
    )
    return svg.tag("span", svg.tag("span", mark, aria_hidden="true"), f" {word}", class_=f"status {style}")
