"""An evaluation's plots as PNG files, for MLflow's artifact view.

The report draws its own (`lakeloom.pages.curves` and its neighbours); these are the same facts for a
registry that shows images. Drawn by matplotlib's Agg canvas without pyplot, so there is no global
figure state and no display; matplotlib is imported when the first plot is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakeloom.pages import formats, tables
from lakeloom.pages.curves import points

_COLOURS = ("#0068b3", "#d97706", "#00916b", "#b3478b", "#3aa0d8", "#c2410c", "#6b5fb5")
_DASHES = ("-", "--", ":", "-.")
_FEATURES = 25


def save_plots(evaluation: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write what the evaluation has data for: ROC, precision-recall, calibration, importance, tuning.

    Parameters
    ----------
    evaluation : mapping
        The facts that training leaves; any part may be missing.
    folder : Path
        Where the files go; made where it is missing.

    Returns
    -------
    list of Path
        The files written, in the order above.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = [
        _curves(evaluation, folder / "roc.png", "roc", ("fpr", "tpr"), ("False positive rate", "True positive rate")),
        _curves(evaluation, folder / "precision_recall.png", "precision_recall", ("recall", "precision"),
                ("Recall", "Precision")),
        _curves(evaluation, folder / "calibration.png", "calibration", ("predicted", "observed"),
                ("Predicted probability", "Observed share")),
        _importance(evaluation, folder / "importance.png"),
        _tuning(evaluation, folder / "tuning.png"),
    ]  # fmt: skip
    return [path for path in found if path is not None]


def _axes(height: float = 4.6) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, height), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    return axes


def _saved(axes: Any, path: Path) -> Path:
    axes.figure.savefig(path, metadata={"Software": None})  # no version inside: equal facts give equal bytes
    return path


def _curves(
    evaluation: Mapping[str, Any], path: Path, curve: str, keys: tuple[str, str], labels: tuple[str, str]
) -> Path | None:
    models = evaluation.get("models") or {}
    lines = {name: points(((model or {}).get("curves") or {}).get(curve), *keys) for name, model in models.items()}
    if curve != "calibration":  # the reference line stands for the base rate
        lines = {name: line for name, line in lines.items() if (models[name] or {}).get("kind") != "base_rate"}
    if not any(lines.values()):
        return None
    axes = _axes()
    for index, (name, line) in enumerate(lines.items()):
        if line:
            axes.plot(
                *zip(*line, strict=True),
                label=_plain(name),
                color=_COLOURS[index % len(_COLOURS)],
                linestyle=_DASHES[index % len(_DASHES)],
                marker="o" if curve == "calibration" else "",
                markersize=3,
            )
    if curve == "precision_recall":
        base = tables.base_rate(evaluation, "test")
        if base is not None:
            axes.axhline(base, color="#7b8794", linestyle=(0, (5, 4)), linewidth=1, label=f"base rate {base:.3f}")
    else:
        axes.axline((0, 0), slope=1, color="#7b8794", linestyle=(0, (5, 4)), linewidth=1)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.legend(frameon=False)
    return _saved(axes, path)


def _importance(evaluation: Mapping[str, Any], path: Path) -> Path | None:
    rows = [
        (formats.number(each.get("drop")), formats.number(each.get("std")) or 0.0, str(each.get("feature")))
        for each in evaluation.get("importance") or ()
    ]
    known = sorted(((drop, std, name) for drop, std, name in rows if drop is not None), reverse=True)[:_FEATURES][::-1]
    if not known:
        return None
    axes = _axes(1.2 + 0.24 * len(known))
    places = range(len(known))
    axes.barh(places, [drop for drop, _, _ in known], xerr=[std for _, std, _ in known], color=_COLOURS[0])
    axes.set_yticks(places, [_plain(name) for _, _, name in known])
    axes.set(xlabel="Fall of the score when shuffled")
    return _saved(axes, path)


def _tuning(evaluation: Mapping[str, Any], path: Path) -> Path | None:
    trials = [
        (formats.number(each.get("trial")), formats.number(each.get("loss"))) for each in evaluation.get("tuning") or ()
    ]
    known = sorted((trial, loss) for trial, loss in trials if trial is not None and loss is not None)
    if not known:
        return None
    numbers, losses = [trial for trial, _ in known], [loss for _, loss in known]
    axes = _axes(3.6)
    axes.scatter(numbers, losses, color=_COLOURS[1], label="a trial", zorder=3)
    best = [min(losses[: end + 1]) for end in range(len(losses))]
    axes.step(numbers, best, where="post", color=_COLOURS[0], label="best so far")
    axes.set(xlabel="Trial", ylabel="Loss")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    return _saved(axes, path)


def _plain(name: str) -> str:
    """Keep matplotlib from reading a name as mathematics."""
    return name.replace("$", r"\$")
