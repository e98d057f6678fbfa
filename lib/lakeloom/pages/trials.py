"""The history of a tuning: every trial's loss, and the best found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lakeloom.pages import formats, svg
from lakeloom.pages.figure import Figure, Key, Table
from lakeloom.pages.svg import Scale

_WIDTH, _HEIGHT = 1120.0, 300.0


def history(found: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw the trials in the order they were proposed; a failed one is a cross on the axis."""
    if not found:
        return None
    trials = sorted(found, key=lambda each: formats.number(each.get("trial")) or 0.0)
    numbers = [formats.number(each.get("trial")) for each in trials]
    places = [float(position) if number is None else number for position, number in enumerate(numbers)]
    losses = [formats.number(each.get("loss")) for each in trials]
    good = [
        loss if each.get("status", "ok") not in ("failed", "fail") else None
        for loss, each in zip(losses, trials, strict=True)
    ]
    known = [loss for loss in good if loss is not None]
    x = Scale(min(places) - 0.5, max(places) + 0.5, 66, _WIDTH - 16)
    y = Scale.around(known, _HEIGHT - 42, 26)
    best = float("inf")
    path: list[tuple[float, float]] = []
    winner: int | None = None
    for position, (place, loss) in enumerate(zip(places, good, strict=True)):
        if loss is not None:
            if path:
                path.append((x(place), y(best)))
            if loss < best:
                best, winner = loss, position
            path.append((x(place), y(best)))
    if path:
        path.append((x.stop, y(best)))
    drawn = [_axes(x, y), svg.trace(path, class_="line steps s0")]
    for position, (each, place, loss) in enumerate(zip(trials, places, good, strict=True)):
        said = _said(each, place)
        if loss is None:
            a, b = x(place), y.start - 8
            cross = f"M{a - 5:.1f} {b - 5:.1f}l10 10M{a - 5:.1f} {b + 5:.1f}l10 -10"
            drawn.append(svg.tag("path", svg.tip(said), d=cross, class_="cross mark", tabindex=0))
            continue
        if position == winner:
            drawn.append(svg.tag("circle", cx=x(place), cy=y(loss), r=10, class_="ring s0"))
        drawn.append(svg.tag("circle", svg.tip(said), cx=x(place), cy=y(loss), r=5, class_="dot mark s1", tabindex=0))
    keys = (
        Key("s1", "a trial"),
        Key("s0", "best so far"),
        *((Key("s-fail", "failed"),) if len(known) < len(trials) else ()),
    )
    return Figure(
        "Tuning history",
        svg.canvas(drawn, _WIDTH, _HEIGHT, "Loss of each trial and the best so far", kind="plot focusable"),
        _lead(trials, winner, best),
        keys,
        _table(trials),
        span="full",
    )


def _axes(x: Scale, y: Scale) -> Markup:
    """Draw axes whose trial numbers are denser than the losses' grid."""
    drawn = [svg.axes(x, y, "Trial", "Loss", x_ticks=())]
    for value in x.ticks(16):
        if abs(value - round(value)) < 1e-6:
            drawn.append(svg.line(x(value), y.start, x(value), y.start + 4, class_="axis"))
            drawn.append(svg.text(x(value), y.start + 17, f"{value:.0f}", class_="tick", text_anchor="middle"))
    return svg.group(drawn, aria_hidden="true")


def _lead(trials: Sequence[Mapping[str, Any]], winner: int | None, best: float) -> str:
    seconds = sum(formats.number(each.get("seconds")) or 0.0 for each in trials)
    said = f"{len(trials)} trials, {formats.duration(seconds)} of work."
    if winner is not None:
        said += f" Trial {trials[winner].get('trial', winner)} is the best with a loss of {formats.metric(best)}."
    return said + " Point at a trial to see its parameters."


def _said(trial: Mapping[str, Any], place: float) -> str:
    loss = formats.number(trial.get("loss"))
    lines = [
        f"trial {place:.0f}: "
        + (f"loss {formats.metric(loss)}" if loss is not None else str(trial.get("status", "failed")))
    ]
    if trial.get("seconds") is not None:
        lines[0] += f", {formats.duration(trial['seconds'])}"
    lines += [f"{key} = {formats.setting(value)}" for key, value in (trial.get("parameters") or {}).items()]
    return "\n".join(lines)


def _table(trials: Sequence[Mapping[str, Any]]) -> Table:
    names = list(dict.fromkeys(key for each in trials for key in each.get("parameters") or {}))
    rows = tuple(
        (
            str(each.get("trial", "")),
            str(each.get("status", "")),
            formats.metric(each.get("loss")),
            formats.duration(each.get("seconds")),
            *(formats.setting((each.get("parameters") or {}).get(name)) for name in names),
        )
        for each in trials
    )
    return Table(
        ("Trial", "Status", "Loss", "Time", *names), rows, frozenset({0, 2, 3, *range(4, 4 + len(names))}), "Trials"
    )
