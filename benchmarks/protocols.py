"""Issue 3's two protocols on the demo's dataset, and what each group of features brings.

Every setting is chosen inside the training part: by September for (a), by an inner random split for
(b). The test rows are measured once a seed, with what was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.demo import grouped, load
from benchmarks.fitting import Fitter, Score, sampled
from benchmarks.result import Result, Table, Target
from benchmarks.splits import END, OCTOBER, SEPTEMBER, Split, by_chance, by_time, part

SEEDS = (0, 1, 2, 3, 4)
GROUP_SEEDS = (0, 1)
SEARCH_PART = 0.4
SCHEDULE = "calendar and schedule"

BOOSTING: dict[str, Any] = {"kind": "boosting"}
NETWORK: dict[str, Any] = {"kind": "tabular_net", "embed": ["weekday"], "width": 128, "layers": 2, "dropout": 0.3}
TRAINING: dict[str, Any] = {"batch": 2048, "weight_decay": 0.01, "warmup": 0.2}
QUICK = BOOSTING | {"rounds": 50, "rate": 0.15, "leaves": 31, "leaf_rows": 80, "l2": 10, "columns": 0.4}

Means = tuple[float, float]

# What is searched: few and far apart, around the settings that the study of this data ended with.
SPACE_A = (
    BOOSTING | {"rounds": 100, "rate": 0.09, "leaves": 31, "leaf_rows": 200, "l2": 10, "columns": 0.4},
    BOOSTING | {"rounds": 100, "rate": 0.09, "leaves": 15, "leaf_rows": 200, "l2": 10, "columns": 0.4},
    BOOSTING | {"rounds": 100, "rate": 0.09, "leaves": 31, "leaf_rows": 40, "l2": 1, "columns": 0.4},
    BOOSTING | {"rounds": 100, "rate": 0.05, "leaves": 31, "leaf_rows": 200, "l2": 10, "columns": 0.4},
)
SPACE_NETWORK = (
    NETWORK | {"train": TRAINING | {"epochs": 3, "lr": 0.003}},
    NETWORK | {"train": TRAINING | {"epochs": 2, "lr": 0.003}},
    NETWORK | {"train": TRAINING | {"epochs": 3, "lr": 0.0015}},
)
SPACE_B = (
    BOOSTING | {"rounds": 250, "rate": 0.12, "leaves": 63, "leaf_rows": 40, "l2": 1, "columns": 0.4},
    BOOSTING | {"rounds": 250, "rate": 0.12, "leaves": 31, "leaf_rows": 40, "l2": 1, "columns": 0.4},
    BOOSTING | {"rounds": 250, "rate": 0.2, "leaves": 63, "leaf_rows": 40, "l2": 1, "columns": 0.4},
)

NOTES = (
    "**How clean this is.** Every setting above was chosen without a test row: for (a) by average precision on "
    "September after training on January to August, for (b) by average precision on an inner 3:1 split of seed 0's "
    "training part; boosting's candidates train on 40 % of the rows there. The preparation (categories, scaling) is "
    "fitted on the training part. The network keeps its last epoch; nothing is stopped early on the test rows.",
    "**What is not clean.** The set of features, and the neighbourhood of the settings searched here, come from a "
    "study of this same data in which the score on October to December was printed beside the validation score for "
    "some thirty variants, and whose shortlist of features used rows of those months. So (a) is not the score of "
    "months that nobody had ever looked at. The margins over the targets are wider than the differences between "
    "those variants. In (b) the seeds share the year: a flight's neighbours of the same hour stand on both sides, "
    "which is why it scores above (a) and says less about next month.",
    "**Hindsight in the aircraft.** The data has the tail number that flew, not the one planned two hours before. "
    "Where an airline swapped aircraft, the leg before is that of the swapped one: about 3,000 flights (0.9 %) have a "
    "turnaround of 15 minutes or less and are late far more often. The row without the aircraft's group in the "
    "table of groups is what remains when nothing of it is used.",
    "Spread is the standard deviation over the seeds: in (a) they vary the model alone, in (b) the split too. Logistic "
    "regression and base rate have no seed.",
)


def measure() -> Result:
    """Search, fit, measure; some ten minutes on two quiet cores. Interrupted, it goes on."""
    fitter = Fitter(load())
    figures: dict[str, float] = {}
    lines: list[tuple[Any, ...]] = []
    tables = [*_first(fitter, figures, lines), *_second(fitter, figures, lines), _groups(fitter)]
    scores = Table(
        "Test scores (mean ± spread of the seeds)",
        ("protocol", "model", "ROC AUC", "average precision", "seeds", "seconds a fit"),
        tuple(lines),
    )
    targets = (
        Target("boosting_a_roc_auc", 0.775, "least"),
        Target("boosting_a_average_precision", 0.435, "least"),
        Target("network_a_roc_auc", 0.76, "least"),
        Target("boosting_b_roc_auc", 0.83, "least"),
        Target("boosting_b_average_precision", 0.57, "least"),
    )
    fitter.finish()
    return Result(
        "protocols", "Late flights: the two protocols", figures, targets, tables=(scores, *tables), notes=NOTES
    )


def _first(fitter: Fitter, figures: dict[str, float], lines: list[tuple[Any, ...]]) -> list[Table]:
    rows = fitter.demo.rows
    inner, outer = by_time(rows, SEPTEMBER, OCTOBER), by_time(rows, OCTOBER, END)
    less = sampled(inner, part(inner.train, SEARCH_PART, seed=0))
    boosting, tried = _search(fitter, "a", less, SPACE_A)
    network, tried_networks = _search(fitter, "a network", inner, SPACE_NETWORK)
    protocol = "(a) January to September → October to December"
    for name, estimator, seeds in (
        ("base_rate", {"kind": "base_rate"}, SEEDS[:1]),
        ("logistic", {"kind": "logistic"}, SEEDS[:1]),
        ("network", network, SEEDS),
        ("boosting", boosting, SEEDS),
    ):
        scores = [fitter.score(f"(a) {name}, seed {seed}", outer, estimator, seed) for seed in seeds]
        lines.append(_line(figures, protocol, "a", name, scores))
    return [
        _searched("(a) boosting, tried on September", tried, boosting),
        _searched("(a) network, tried on September", tried_networks, network),
    ]


def _second(fitter: Fitter, figures: dict[str, float], lines: list[tuple[Any, ...]]) -> list[Table]:
    rows = fitter.demo.rows
    splits = {seed: by_chance(rows, f"protocol b, seed {seed}") for seed in SEEDS}
    inner = by_chance(rows, "protocol b, inner", splits[SEEDS[0]].train)
    chosen, tried = _search(fitter, "b", sampled(inner, part(inner.train, SEARCH_PART, seed=0)), SPACE_B)
    scores = [fitter.score(f"(b) boosting, seed {seed}", split, chosen, seed) for seed, split in splits.items()]
    lines.append(_line(figures, "(b) random 3:1", "b", "boosting", scores))
    return [_searched("(b) boosting, tried on the inner split", tried, chosen)]


def _search(
    fitter: Fitter, what: str, split: Split, space: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], list[tuple[dict[str, Any], Score]]]:
    tried = [(each, fitter.score(f"search ({what}) {place + 1}", split, each)) for place, each in enumerate(space)]
    best, _ = max(tried, key=lambda pair: pair[1].average_precision)
    return best, tried


def _searched(title: str, tried: list[tuple[dict[str, Any], Score]], best: dict[str, Any]) -> Table:
    rows = tuple((_settings(each), score.roc_auc, score.average_precision, each is best) for each, score in tried)
    shown = tuple((*row[:3], "chosen" if row[3] else "") for row in rows)
    return Table(title, ("settings", "ROC AUC", "average precision", ""), shown)


def _settings(estimator: dict[str, Any]) -> str:
    flat = estimator | estimator.get("train", {})
    return ", ".join(f"{name} {value}" for name, value in flat.items() if name not in ("kind", "train", "embed"))


def _line(figures: dict[str, float], protocol: str, mark: str, name: str, scores: list[Score]) -> tuple[Any, ...]:
    cells = []
    for metric in ("roc_auc", "average_precision"):
        values = [getattr(score, metric) for score in scores]
        mean, spread = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        figures[f"{name}_{mark}_{metric}"] = round(mean, 5)
        if len(values) > 1:
            figures[f"{name}_{mark}_{metric}_spread"] = round(spread, 5)
        cells.append(f"{mean:.4f} ± {spread:.4f}" if len(values) > 1 else f"{mean:.4f}")
    seconds = float(np.median([score.seconds for score in scores]))
    return (protocol, name.replace("_", " "), *cells, len(scores), seconds)


def _groups(fitter: Fitter) -> Table:
    """Drop each group from all, and add each to the schedule alone: (a), two seeds, a quick boosting."""
    outer = by_time(fitter.demo.rows, OCTOBER, END)
    split = sampled(outer, part(outer.train, SEARCH_PART, seed=0))
    groups = grouped(fitter.demo.features)
    schedule = groups[SCHEDULE]

    def mean(what: str, features: Sequence[str]) -> Means:
        scores = [fitter.score(f"groups: {what}, seed {seed}", split, QUICK, seed, features) for seed in GROUP_SEEDS]
        return (
            float(np.mean([score.roc_auc for score in scores])),
            float(np.mean([score.average_precision for score in scores])),
        )

    whole, base = mean("all", fitter.demo.features), mean("schedule", schedule)
    lines: list[tuple[Any, ...]] = [("no change", "", *_shown(whole), *_shown(base))]
    for group, names in groups.items():
        without = mean(f"without {group}", tuple(name for name in fitter.demo.features if name not in names))
        added = mean(f"schedule and {group}", (*schedule, *names)) if group != SCHEDULE else None
        cells = _shown(added, base) if added else ("", "")
        lines.append((group, len(names), *_shown(without, whole), *cells))
    return Table(
        f"What each group of features brings on (a): boosting with {_settings(QUICK)}, on {SEARCH_PART:.0%} of the "
        f"training rows, means of {len(GROUP_SEEDS)} seeds; differences below 0.002 are noise",
        ("group", "columns", "all without it: AUC", "AP", "schedule with it: AUC", "AP"),
        tuple(lines),
    )


def _shown(means: Means, against: Means | None = None) -> tuple[str, ...]:
    if against is None:
        return tuple(f"{value:.4f}" for value in means)
    return tuple(f"{value:.4f} ({value - other:+.4f})" for value, other in zip(means, against, strict=True))
