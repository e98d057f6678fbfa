"""A run that looks like a real one, made from formulas: no data set, no chance, no clock."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from lakeloom.pages.model import (
    ChangeFact,
    Edge,
    Fact,
    Lineage,
    ModelFact,
    Node,
    QuarantineFact,
    Report,
    RuleFact,
    StepFact,
    TableFact,
)

STARTED = datetime(2026, 11, 22, 22, 38, 47, tzinfo=UTC)
CARRIERS = {"UA": 9700, "B6": 9100, "EV": 8700, "DL": 8100, "AA": 5400, "MQ": 4200, "US": 3400, "9E": 3000,
            "WN": 2000, "VX": 860, "FL": 540, "AS": 120, "F9": 110, "YV": 96, "HA": 61, "OO": 3}  # fmt: skip


def curves(strength: float, base: float) -> dict[str, Any]:
    """ROC, precision-recall and calibration of a model whose ROC curve is tpr = fpr ** (1 / strength)."""
    fpr = [(index / 120) ** 2 for index in range(121)]
    tpr = [rate ** (1 / strength) for rate in fpr]
    recall, precision = [], []
    for wrong, right in zip(fpr, tpr, strict=True):
        called = right * base + wrong * (1 - base)
        recall.append(right)
        precision.append(min(1.0, right * base / called) if called else 1.0)
    predicted = [0.03 + 0.06 * index for index in range(10 if strength > 1 else 1)]
    return {
        "roc": {"fpr": fpr, "tpr": tpr},
        "precision_recall": {"recall": recall, "precision": precision},
        "calibration": {
            "predicted": predicted,
            "observed": [p * 0.93 + 0.02 * math.sin(9 * p * strength) + 0.012 for p in predicted],
            "rows": [int(24000 * math.exp(-4.6 * p)) for p in predicted],
        },
    }


def scores(auc: float, precision: float, brier: float, rows: int, base: float) -> dict[str, Any]:
    """One split's scores, with intervals as wide as this many rows give."""
    return {
        "roc_auc": auc, "average_precision": precision, "brier": brier, "log_loss": brier * 3.1,
        "rows": rows, "positives": int(rows * base),
        "interval": {"roc_auc": [auc - 0.0046, auc + 0.0043],
                     "average_precision": [precision - 0.009, precision + 0.0088]},
    }  # fmt: skip


def evaluation() -> dict[str, Any]:
    """Return evaluation facts in the form that training leaves."""
    rows = {"train": 246_318, "valid": 28_632, "test": 54_115}
    base = {"train": 0.152, "valid": 0.118, "test": 0.156}
    strengths = {"flight_late": (3.35, 0.7702, 0.4271), "base_rate": (1.0, 0.5, 0.156),
                 "logistic": (2.6, 0.7288, 0.3512),
                 "boosting": (3.5, 0.7779, 0.4402)}  # fmt: skip
    kinds = {"flight_late": "tabular_net", "base_rate": "base_rate", "logistic": "logistic", "boosting": "boosting"}
    models = {}
    for name, (strength, auc, precision) in strengths.items():
        models[name] = {
            "kind": kinds[name],
            "seconds": {"flight_late": 61.2, "base_rate": 0.01, "logistic": 6.4, "boosting": 13.8}[name],
            "splits": {
                "train": scores(min(auc + 0.02, 0.9), precision + 0.04, 0.101, rows["train"], base["train"]),
                "valid": scores(
                    auc - 0.004 * (auc > 0.5), precision - 0.05, 0.104 - precision * 0.04, rows["valid"], base["valid"]
                ),
                "test": scores(auc, precision, 0.132 - precision * 0.05, rows["test"], base["test"]),
            },
            "curves": curves(strength, base["test"]),
        }
    names = ["origin_delay_dep_delay_mean_1h", "tailnum_arr_delay_last", "sched_hour", "carrier", "dest",
             "weather_visib", "route_arr_delay_mean_7d", "origin_delay_dep_delay_mean_3h", "weather_precip",
             "weather_wind_gust", "carrier_delay_mean_24h", "month", "weather_pressure", "distance", "day_of_week",
             "origin", "weather_dewp", "plane_seats", "plane_year", "weather_wind_dir", "plane_engines",
             "weather_humid", "is_holiday", "plane_manufacturer"]  # fmt: skip
    groups = [
        {"by": "carrier", "value": carrier, "rows": n, "positives": int(n * (0.1 + 0.013 * index % 0.16)),
         "roc_auc": 0.79 - 0.011 * index, "average_precision": 0.47 - 0.021 * index}
        for index, (carrier, n) in enumerate(CARRIERS.items())
    ]  # fmt: skip
    groups += [{"by": "month", "value": month, "rows": 27_000 + 90 * index, "positives": 3300 + 1800 * index,
                "roc_auc": 0.755 + 0.021 * index, "average_precision": 0.38 + 0.08 * index}
               for index, month in enumerate(["2013-11", "2013-12"])]  # fmt: skip
    tuning: list[dict[str, Any]] = []
    for trial in range(18):
        failed = trial == 6
        tuning.append({
            "trial": trial, "status": "failed" if failed else "ok", "seconds": 6.1 + (trial * 7 % 5),
            "loss": None if failed else -0.352 - 0.03 * (1 - math.exp(-trial / 5)) + 0.028 * math.sin(2.4 * trial) ** 2,
            "parameters": {"lr": 0.0004 * 1.31 ** (trial * 7 % 18), "dropout": 0.05 * (trial % 8),
                           "width": 64 * (1 + trial % 4), "layers": 1 + trial % 3, "batch": 1024},
        })  # fmt: skip
    epochs = [{"epoch": epoch, "train_loss": 0.352 + 0.09 * math.exp(-epoch / 2.2),
               "valid_loss": 0.341 + 0.06 * math.exp(-epoch / 1.8) + 0.0011 * epoch,
               "valid_average_precision": 0.384 - 0.075 * math.exp(-epoch / 1.7)} for epoch in range(1, 9)]  # fmt: skip
    return {
        "dataset": {"rows": {**rows, "none": 9430},
                    "positives": {**{k: int(rows[k] * base[k]) for k in rows}, "none": None}},
        "models": models,
        "importance": [{"feature": name, "drop": 0.052 * math.exp(-index / 4.5) - 0.0006,
                        "std": 0.0022 / (1 + index / 9)}
                       for index, name in enumerate(names)],
        "groups": groups, "tuning": tuning, "epochs": epochs,
    }  # fmt: skip


def lineage() -> Lineage:
    """Return the graph of the flights project: forty nodes."""
    nodes, edges = [], []

    def node(kind: str, name: str, *upstream: str) -> None:
        nodes.append(Node(name, kind))
        edges.extend(Edge(each, name, f"{kind} {name}") for each in upstream)

    sources = ["flights", "weather", "planes", "airports", "airlines", "holidays"]
    for each in sources:
        node("source", each)
        node("bronze", f"bronze.{each}", each)
    node("silver", "silver.airports", "bronze.airports")
    node("silver", "silver.flights", "bronze.flights", "silver.airports")
    node("silver", "silver.weather", "bronze.weather", "silver.airports")
    node("silver", "silver.planes", "bronze.planes")
    node("silver", "silver.airlines", "bronze.airlines")
    node("silver", "silver.holidays", "bronze.holidays")
    for each in ("flights", "weather", "planes"):
        node("quarantine", f"quarantine.silver__{each}", f"bronze.{each}")
    node("gold", "gold.delays_by_route_day", "silver.flights", "silver.airports")
    node("gold", "gold.delays_by_carrier_day", "silver.flights", "silver.airlines")
    node("gold", "gold.hub_ranking", "silver.flights")
    node("gold", "gold.airport_hours", "silver.flights", "silver.weather", "silver.airports")
    node("features", "features.weather", "silver.weather")
    for each in ("origin_delay", "carrier_delay", "route_delay", "tailnum_delay", "dest_delay"):
        node("features", f"features.{each}", "silver.flights")
    node("features", "features.plane", "silver.planes")
    node("features", "features.calendar", "silver.holidays")
    views = [each.id for each in nodes if each.kind == "features"]
    node("dataset", "datasets.late_flights", "silver.flights", *views)
    node("dataset", "datasets.cancelled", "silver.flights", "features.weather", "features.calendar")
    node("model", "flight_late", "datasets.late_flights")
    node("model", "cancellation", "datasets.cancelled")
    node("scores", "gold.flight_late_scores", "flight_late", "datasets.late_flights")
    node("scores", "gold.cancellation_scores", "cancellation", "datasets.cancelled")
    node("gold", "gold.watchlist", "gold.flight_late_scores", "gold.cancellation_scores", "silver.airlines")
    return Lineage(tuple(nodes), tuple(edges))


def steps() -> tuple[StepFact, ...]:
    """Return the steps of a run on two slots."""
    plan: list[tuple[str, str, float, int, int, int | None, int]] = [
        ("bronze.flights", "land", 21.4, 0, 336_776, 0, 14_812_004),
        ("bronze.weather", "land", 5.1, 0, 26_115, 12, 1_204_118),
        ("bronze.planes", "land", 3.9, 0, 3_322, 0, 96_550),
        ("bronze.airports", "land", 1.7, 0, 1_458, 0, 61_377),
        ("bronze.airlines", "land", 1.4, 0, 16, 0, 4_120),
        ("silver.airports", "refine", 2.6, 1_458, 1_458, 0, 58_812),
        ("silver.flights", "refine", 18.2, 336_776, 336_735, 41, 17_411_093),
        ("silver.weather", "refine", 4.4, 26_115, 26_103, 12, 990_233),
        ("silver.planes", "refine", 2.9, 3_322, 3_322, 0, 81_034),
        ("gold.delays_by_route_day", "refine", 6.8, 336_735, 71_204, None, 1_930_442),
        ("features.weather", "materialise", 5.5, 26_103, 26_103, None, 1_100_943),
        ("features.origin_delay", "materialise", 11.2, 336_735, 334_264, None, 8_020_117),
        ("features.route_delay", "materialise", 12.9, 336_735, 334_264, None, 9_304_881),
        ("datasets.late_flights", "dataset", 24.6, 336_735, 336_735, None, 31_440_900),
        ("flight_late.tune", "tune", 58.1, 274_950, 18, None, 220_114),
        ("flight_late", "train", 61.2, 274_950, 1, None, 1_806_221),
        ("gold.flight_late_scores", "score", 7.7, 336_735, 336_735, None, 4_330_218),
    ]
    at, done = STARTED + timedelta(seconds=6.9), []
    for index, (name, kind, seconds, rows_in, rows_out, bad, written) in enumerate(plan):
        done.append(
            StepFact(
                name,
                kind,
                "done",
                "first run" if index % 3 else "new files: 10",
                rows_in,
                rows_out,
                bad,
                0 if index else 3,
                seconds,
                written,
                at,
            )
        )
        at += timedelta(seconds=seconds * (0.55 if index < 13 else 1.0))
    skipped = StepFact(
        "gold.airport_hours",
        "refine",
        "skipped",
        "code, config and inputs are as they were",
        version=4,
        seconds=0.02,
        started=at,
    )
    return (*done, skipped)


def report(**changes: Any) -> Report:
    """Return a whole run; `changes` replaces fields."""
    fields: dict[str, Any] = {
        "title": "Late flights", "project": "flights", "run_id": "20261122T223847-4f1c", "started": STARTED,
        "finished": STARTED + timedelta(seconds=263.4), "status": "done",
        "headlines": (
            Fact("Rows landed", "367,687", "from 5 sources, 14 files"),
            Fact("In quarantine", "53", "0.01 % of rows, nothing lost"),
            Fact("ROC AUC on test", "0.7702", "boosting: 0.7779"),
            Fact("Average precision", "0.4271", "2.7 times the base rate"),
            Fact("Champion", "boosting v3", "better on validation"),
            Fact("Written", "92.8 MB", "17 tables"),
        ),
        "steps": steps(),
        "tables": tuple(TableFact(s.name, s.version, s.rows_out, s.bytes)
                        for s in steps() if s.kind not in ("tune", "train")),
        "quarantine": (
            QuarantineFact("silver.flights", "distance between 1 and 6000", 29, ("distance is outside 1 to 6000",)),
            QuarantineFact("silver.flights", "tail number not null", 12, ("tailnum is null", "tailnum is empty")),
            QuarantineFact("bronze.weather", "malformed JSON", 12, ("record 118 of weather-03.jsonl does not parse",)),
        ),
        "rules": (
            RuleFact("silver.flights", "values_between", "quarantine", False, "distance", 336_776, 29),
            RuleFact("silver.flights", "values_not_null", "quarantine", False, "tailnum", 336_776, 12),
            RuleFact("silver.flights", "unique_keys", "fail", True, None, 336_735, 0),
            RuleFact("silver.weather", "values_between", "warn", True, "temp", 26_103, 0),
        ),
        "changes": (ChangeFact("silver.flights", 1, "trim", 1_204), ChangeFact("silver.flights", 2, "deduplicate", 41)),
        "lineage": lineage(), "evaluation": evaluation(),
        "model": ModelFact("flight_late", 3, True, {
            "config_hash": "9c1f0b7e5a2d", "git_commit": "3e1fca99d0b4c1f1f6a0a4ad1b9d2f0f7c1e6a55",
            "lock_hash": "b71c0e4f8812",
            "versions_read": {"datasets.late_flights": 0, "silver.flights": 3, "features.weather": 1},
            "seeds": {"training": 7, "tuning": 11}, "workers": 2, "backend": "gloo", "learning_rate": 0.0031622776,
        }),
        "notes": (
            "8,255 cancelled flights and 1,175 that never arrived have no label. They are in no split, so the scores "
            "speak of flights that arrived; a flight likely to be cancelled is scored as if it would fly.",
            "Trials used a third of the training rows and three epochs; the winner was trained in full.",
        ),
    }  # fmt: skip
    return Report(**{**fields, **changes})
