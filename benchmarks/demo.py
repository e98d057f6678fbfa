"""The demo's dataset as Arrow: built by ``lakeloom run +datasets.late_flights`` where it is absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.datasets.columns import feature_names

if TYPE_CHECKING:
    import pyarrow as pa

    from lakeloom.store.lake import Lake

DATASET = "late_flights"
KEYS = ("flight_date", "carrier", "flight", "origin")

# A feature belongs to the first group of which it has a name or a prefix (ending in "_").
GROUPS = {
    "calendar and schedule": (
        "carrier", "origin", "dest", "weekday", "sched_dep_minute", "sched_minutes", "origin_before", "origin_around",
    ),
    "weather": ("weather__", "pressure_change", "temp_change"),
    "origin's traffic": ("origin_departures__", "origin_schedule__", "origin_arrivals__", "backlog_"),
    "carrier and route": ("origin_carrier_departures__", "carrier_arrivals__", "route_arrivals__"),
    "flight number": ("number_arrivals__",),
    "aircraft and its leg before": ("aircraft_arrivals__", "previous__", "previous_late", "slack"),
}  # fmt: skip


@dataclass(frozen=True)
class Demo:
    """The demo's dataset.

    Attributes
    ----------
    rows : pyarrow.Table
        The labelled rows in the order of ``_row``.
    features : tuple of str
    identity : str
        Of the Delta table and its version.
    tight : int
        Labelled flights whose aircraft would turn round within 15 minutes, which no plan would have it do.
    tight_late : float
        Share of them that was late.
    """

    rows: pa.Table
    features: tuple[str, ...]
    identity: str
    tight: int
    tight_late: float


def load() -> Demo:
    """Return the demo's dataset; builds it where it is absent, which takes some minutes."""
    from deltalake import DeltaTable

    lake = open_lakehouse("conf/flights")
    table = f"datasets.{DATASET}"
    if not lake.lake.exists(table):
        lake.run(f"+{table}")
    version = lake.lake.version(table)
    features = feature_names(lake.project.datasets[DATASET], lake.project.features)
    wanted = list(dict.fromkeys((*KEYS, "_row", "label", *features)))
    rows = lake.lake.arrow(table, version, wanted)
    rows = rows.filter(rows.column("label").is_valid()).sort_by("_row").combine_chunks()
    delta = DeltaTable(lake.lake.path(table), version=version)
    return Demo(rows, features, f"{delta.metadata().id}@{version}", *_tight(lake.lake))


def _tight(lake: Lake) -> tuple[int, float]:
    """Return how many labelled flights have an aircraft with no time to turn round, and the late ones' share."""
    import pyarrow.compute as pc

    plan = lake.arrow("gold.flight_plan", lake.version("gold.flight_plan"), ["turnaround", "arr_delay"])
    swapped = plan.filter((pc.field("turnaround") <= 15) & pc.field("arr_delay").is_valid())
    late = pc.mean(pc.greater_equal(swapped.column("arr_delay"), 30).cast("float64")).as_py()
    return swapped.num_rows, float(late or 0.0)


def grouped(features: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the features of each group; raises ValueError for one that no group knows."""
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for feature in features:
        groups = [group for group, marks in GROUPS.items() if any(_fits(feature, mark) for mark in marks)]
        if not groups:
            raise ValueError(f"the feature '{feature}' stands in no group of benchmarks/demo.py")
        found[groups[0]].append(feature)
    return {group: tuple(names) for group, names in found.items()}


def _fits(feature: str, mark: str) -> bool:
    return feature.startswith(mark) if mark.endswith("_") else feature == mark
