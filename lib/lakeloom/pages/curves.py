"""Line plots of an evaluation: ROC, precision-recall, calibration, training by epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lakeloom.pages import formats, svg
from lakeloom.pages.figure import Figure, Key, Table
from lakeloom.pages.svg import Scale

Points = list[tuple[float, float]]
_WIDTH, _HEIGHT = 372.0, 330.0
_COLOURS = 7


def styles(models: Mapping[str, Any], first: str | None) -> dict[str, str]:
    """Give each model its colour class, the same in every plot; `first` gets the leading one.

    A base rate is no model in competition and stays grey.
    """
    order = sorted(models, key=lambda name: name != first)
    found, taken = {}, 0
    for name in order:
        if models[name].get("kind") == "base_rate" or name == "base_rate":
            found[name] = "s-base"
        else:
            found[name], taken = f"s{taken % _COLOURS}", taken + 1
    return found


def points(curve: Mapping[str, Sequence[Any]] | None, x: str, y: str) -> Points:
    """Pair two columns of a curve, leaving out what is not a finite number."""
    pairs = zip((curve or {}).get(x) or (), (curve or {}).get(y) or (), strict=False)
    numbers = [(formats.number(a), formats.number(b)) for a, b in pairs]
    return [(a, b) for a, b in numbers if a is not None and b is not None]


def roc(models: Mapping[str, Any], look: Mapping[str, str], split: str) -> Figure | None:
    """Draw the ROC curves with the diagonal of chance."""
    lines = {name: points(_curves(models[name]).get("roc"), "fpr", "tpr") for name in look}
    if not any(lines.values()):
        return None
    x, y = _unit()
    chance = svg.line(x(0), y(0), x(1), y(1), class_="reference")
    return Figure(
        "ROC",
        _lines(lines, look, x, y, "False positive rate", "True positive rate", chance, f"ROC curves on {split}"),
        f"On {split}. The diagonal is chance.",
        _legend(lines, look, models, split, "roc_auc"),
        span="third",
    )


def precision_recall(
    models: Mapping[str, Any], look: Mapping[str, str], split: str, base: float | None
) -> Figure | None:
    """Draw precision over recall with the line of the base rate, which any guess reaches."""
    lines = {name: points(_curves(models[name]).get("precision_recall"), "recall", "precision") for name in look}
    if not any(lines.values()):
        return None
    x, y = _unit()
    rate: Markup | None = None
    if base is not None:
        rate = svg.group(
            [
                svg.line(x(0), y(base), x(1), y(base), class_="reference"),
                svg.text(x(1) - 2, y(base) + 13, f"base rate {formats.share(base)}", class_="note", text_anchor="end"),
            ]
        )
    return Figure(
        "Precision and recall",
        _lines(lines, look, x, y, "Recall", "Precision", rate, f"Precision over recall on {split}"),
        f"On {split}. The dashed line is the base rate: what guessing gives.",
        _legend(lines, look, models, split, "average_precision"),
        span="third",
    )


def calibration(models: Mapping[str, Any], look: Mapping[str, str], split: str) -> Figure | None:
    """Draw the observed share over the predicted probability; dots grow with their rows."""
    curves = {name: _curves(models[name]).get("calibration") for name in look}
    lines = {name: points(curve, "predicted", "observed") for name, curve in curves.items()}
    if not any(lines.values()):
        return None
    top = max(value for line in lines.values() for pair in line for value in pair)
    limit = next(each for each in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0, float("inf")) if top <= each)
    limit = min(limit, 1.0)
    x, y = Scale(0, limit, 46, _WIDTH - 12), Scale(0, limit, _HEIGHT - 42, 26)
    drawn = [
        svg.axes(x, y, "Predicted probability", "Observed share"),
        svg.line(x(0), y(0), x(limit), y(limit), class_="reference"),
    ]
    for name in reversed(list(lines)):
        rows = [formats.number(each) or 0.0 for each in (curves[name] or {}).get("rows") or ()]
        most = max(rows, default=0.0) or 1.0
        drawn.append(svg.trace([(x(a), y(b)) for a, b in lines[name]], class_=f"line thin {look[name]}"))
        for index, (a, b) in enumerate(lines[name]):
            many = rows[index] if index < len(rows) else 0.0
            said = f"{name}: predicted {a:.3f}, observed {b:.3f}" + (f", {many:,.0f} rows" if rows else "")
            drawn.append(
                svg.tag(
                    "circle",
                    svg.tip(said),
                    cx=x(a),
                    cy=y(b),
                    r=2.2 + 3.3 * (many / most) ** 0.5,
                    class_=f"dot mark {look[name]}",
                )
            )
    return Figure(
        "Calibration",
        svg.canvas(drawn, _WIDTH, _HEIGHT, f"Calibration on {split}"),
        f"On {split}. On the diagonal, 20 % predicted means 20 % seen; larger dots hold more rows.",
        _legend(lines, look, models, split, "brier", "Brier "),
        span="third",
    )


def losses(epochs: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw training and validation loss by epoch."""
    lines = {"training": _by_epoch(epochs, "train_loss"), "validation": _by_epoch(epochs, "valid_loss")}
    lines = {name: line for name, line in lines.items() if line}
    return _epochs("Loss by epoch", "Loss", lines, "Lower is better.", epochs) if lines else None


def progress(epochs: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw the average precision on validation data by epoch."""
    line = _by_epoch(epochs, "valid_average_precision")
    if not line:
        return None
    best = max(line, key=lambda pair: pair[1])
    lead = f"Best at epoch {best[0]:.0f}: {formats.metric(best[1])}."
    return _epochs("Validation by epoch", "Average precision", {"validation": line}, lead, epochs)


def _epochs(title: str, label: str, lines: dict[str, Points], lead: str, epochs: Sequence[Mapping[str, Any]]) -> Figure:
    width, height = 540.0, 260.0
    firsts = [pair[0] for line in lines.values() for pair in line]
    x = Scale(min(firsts), max(max(firsts), min(firsts) + 1), 56, width - 16)
    y = Scale.around([pair[1] for line in lines.values() for pair in line], height - 42, 26)
    look = {"training": "s1", "validation": "s0"}
    about = min(8, max(1, round(x.high - x.low)))
    drawn = [
        svg.axes(
            x,
            y,
            "Epoch",
            label,
            about=about if about < 5 else 5,
            x_format=lambda value: f"{value:.0f}" if abs(value - round(value)) < 1e-6 else "",
        )
    ]
    for name, line in lines.items():
        drawn.append(svg.trace([(x(a), y(b)) for a, b in line], class_=f"line {look[name]}"))
        drawn += [
            svg.tag(
                "circle",
                svg.tip(f"epoch {a:.0f}, {name}: {b:.4f}"),
                cx=x(a),
                cy=y(b),
                r=3.4,
                class_=f"dot mark {look[name]}",
            )
            for a, b in line
        ]
    keys = [
        key
        for key in ("epoch", "train_loss", "valid_loss", "valid_average_precision")
        if any(key in each for each in epochs)
    ]
    rows = tuple(
        tuple(formats.count(each.get(key)) if key == "epoch" else formats.metric(each.get(key)) for key in keys)
        for each in epochs
    )
    return Figure(
        title,
        svg.canvas(drawn, width, height, title),
        lead,
        tuple(Key(look[name], name) for name in lines) if len(lines) > 1 else (),
        Table(tuple(formats.words(key) for key in keys), rows, frozenset(range(len(keys))), title),
    )


def _by_epoch(epochs: Sequence[Mapping[str, Any]], key: str) -> Points:
    pairs = [(formats.number(each.get("epoch")), formats.number(each.get(key))) for each in epochs]
    return [(a, b) for a, b in pairs if a is not None and b is not None]


def _curves(model: Mapping[str, Any]) -> Mapping[str, Any]:
    return model.get("curves") or {}


def _unit() -> tuple[Scale, Scale]:
    return Scale(0, 1, 46, _WIDTH - 12), Scale(0, 1, _HEIGHT - 42, 26)


def _lines(
    lines: Mapping[str, Points],
    look: Mapping[str, str],
    x: Scale,
    y: Scale,
    x_label: str,
    y_label: str,
    reference: Markup | None,
    label: str,
) -> Markup:
    """Draw curves over one another, the leading model on top, with the data that the pointer's reading needs."""
    drawn = [svg.axes(x, y, x_label, y_label), *([reference] if reference else [])]
    drawn += [
        svg.trace([(x(a), y(b)) for a, b in lines[name]], class_=f"line {look[name]}")
        for name in reversed(list(lines))
        if lines[name] and look[name] != "s-base"  # the reference line stands for the base rate
    ]
    held = [
        {"name": name, "style": look[name], "points": [[round(a, 4), round(b, 4)] for a, b in line]}
        for name, line in lines.items()
        if line and look[name] != "s-base"
    ]
    drawn.append(
        svg.tag(
            "rect",
            x=x.start,
            y=y.stop,
            width=x.stop - x.start,
            height=y.start - y.stop,
            class_="reader",
            data_curves=json.dumps(held),
            data_x=x_label,
            data_y=y_label,
            data_high=x.high,
        )
    )
    return svg.canvas(drawn, _WIDTH, _HEIGHT, label)


def _legend(
    lines: Mapping[str, Points],
    look: Mapping[str, str],
    models: Mapping[str, Any],
    split: str,
    score: str,
    before: str = "",
) -> tuple[Key, ...]:
    found = []
    for name, line in lines.items():
        if line:
            scores = (models[name].get("splits") or {}).get(split) or {}
            value = formats.metric(scores.get(score), 3)
            found.append(Key(look[name], name, "" if value == formats.UNKNOWN else before + value))
    return tuple(found)
