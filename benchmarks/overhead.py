"""What the platform costs over a script written by hand that does the same reads, writes and merges.

Both take the flights pipeline up to gold: first with the drops of eleven months, then, in a new
process, with December's, which merges. Pairs of both in turns, each on fresh tables; the order within
a pair changes, so that a machine that slows down slows both.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target

PAIRS = 9
TARGET = 1.10
LATE = ("flights/flights_2013-12.csv.gz", "weather/weather_2013-12.jsonl")
STEPS = ("bronze.*", "silver.*", "gold.route_delays", "gold.airport_hours", "gold.flight_plan")
TABLES = ("gold/route_delays", "gold/airport_hours", "gold/flight_plan", "silver/flights")


def measure() -> Result:
    """Run the pairs; ``LAKELOOM_PAIRS`` says how many, 9 by default."""
    pairs = int(os.environ.get("LAKELOOM_PAIRS", PAIRS))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run([sys.executable, "conf/flights/landing.py", "--to", str(folder / "landing")], folder)
        found = [_pair(folder, number) for number in range(pairs)]
    return result([ours for ours, _ in found], [theirs for _, theirs in found])


def result(ours: Sequence[float], theirs: Sequence[float]) -> Result:
    """Return the page's facts of both sides' seconds, pair by pair."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    low, high = interval(ratios)
    pairs = enumerate(zip(ours, theirs, strict=True), start=1)
    rows = tuple((number, f"{a:.1f}", f"{b:.1f}", f"{a / b:.3f}") for number, (a, b) in pairs)
    figures = {
        "ours_s": round(median(ours), 2),
        "by_hand_s": round(median(theirs), 2),
        "ratio": round(median(ratios), 3),
        "ratio_low": round(low, 3),
        "ratio_high": round(high, 3),
        "pairs": float(len(ratios)),
    }
    return Result(
        "overhead",
        "Overhead over a script written by hand",
        figures,
        (Target("ratio", TARGET, label="the platform's time over the script's, up to gold"),),
        {"vs_by_hand": round(1 / median(ratios), 3)},
        (Table("Seconds of each pair", ("pair", "lakeloom", "by hand", "ratio"), rows),),
        (
            f"The ratio is the median of {len(ratios)} interleaved pairs, {median(ratios):.3f}, with a 95 % interval "
            f"of {low:.3f} to {high:.3f} (bootstrap of the median). Each side starts two processes: eleven months, "
            "then December's drops, which merge. The script (`benchmarks/by_hand.py`) has the same SQL and Spark "
            "settings, and no contract, rule, quarantine, manifest, ledger of checksums or recovery. Both end with "
            "the same number of rows in silver.flights and every gold table, which is asserted.",
        ),
    )


def interval(values: Sequence[float], times: int = 2000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the median."""
    chance = random.Random(7)
    found = sorted(median(chance.choices(values, k=len(values))) for _ in range(times))
    return found[int(0.025 * times)], found[int(0.975 * times) - 1]


def _pair(folder: Path, number: int) -> tuple[float, float]:
    """Return both sides' seconds on fresh tables."""
    seconds = {}
    for side in ("ours", "theirs") if number % 2 else ("theirs", "ours"):
        root, landing = folder / side, folder / f"landing-{side}"
        shutil.copytree(folder / "landing", landing)
        held = [(landing / name, folder / Path(name).name) for name in LATE]
        for there, away in held:
            shutil.move(there, away)
        seconds[side] = _once(side, folder, landing, root)
        for there, away in held:
            shutil.move(away, there)
        seconds[side] += _once(side, folder, landing, root)
        shutil.rmtree(landing)
    counts = {side: _rows(folder / side / ("tables" if side == "ours" else "")) for side in seconds}
    for side in seconds:
        shutil.rmtree(folder / side)
    if counts["ours"] != counts["theirs"]:
        raise RuntimeError(f"the two sides differ: {counts}")
    return seconds["ours"], seconds["theirs"]


def _once(side: str, folder: Path, landing: Path, root: Path) -> float:
    if side == "theirs":
        return run([sys.executable, "-m", "benchmarks.by_hand", str(landing), str(root)], folder).seconds
    place = {"LAKELOOM_HOME": str(root), "LAKELOOM_LANDING": str(landing)}
    return run([str(LAKELOOM), "run", *STEPS, "--conf", "flights", "--json"], folder, place).seconds


def _rows(tables: Path) -> dict[str, int]:
    from deltalake import DeltaTable

    return {name: DeltaTable(str(tables / name)).count() for name in TABLES}
