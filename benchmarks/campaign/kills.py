"""Kill runs of the flights project at many moments and count what was lost or doubled.

Each fault is a SIGKILL of the whole process group at a chosen phase of a step; after each, the run is let finish and
every published table is compared, row by row, with that of a run that nobody disturbed.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from pathlib import Path
from typing import Any

from tests.scenarios.flights import lay_out
from tests.scenarios.killing import MOMENTS, MORE, SELECTED, kill_at, lines


def differences(expected: dict[str, Counter[str]], found: dict[str, Counter[str]]) -> tuple[int, int]:
    """Return how many rows of `expected` are missing in `found`, and how many of `found` are too many."""
    lost = doubled = 0
    for table in expected.keys() | found.keys():
        wanted, got = expected.get(table, Counter()), found.get(table, Counter())
        lost += (wanted - got).total()
        doubled += (got - wanted).total()
    return lost, doubled


def campaign(folder: Path, faults: int, seed: int) -> dict[str, Any]:
    """Inject `faults` kills, a fresh storage root each, and return the counts."""
    flights, chance, moments = lay_out(folder / "project"), random.Random(seed), MOMENTS | MORE
    flights.finish(folder / "undisturbed", *SELECTED)
    expected = lines(folder / "undisturbed")
    by_kind: Counter[str] = Counter()
    lost = doubled = 0
    patterns = list(moments)
    for number in range(faults):
        pattern = patterns[number % len(patterns)]
        for attempt in itertools.count():
            root = folder / f"fault-{number}-{attempt}"
            if kill_at(flights, root, pattern, chance.choice([0.0, chance.uniform(0.0, 0.8)])):
                break  # else the run had ended before the pause was over: once more on a fresh root
        flights.finish(root, *SELECTED)
        gone, extra = differences(expected, lines(root))
        lost, doubled = lost + gone, doubled + extra
        by_kind[moments[pattern]] += 1
        print(f"{number + 1} of {faults}: killed {moments[pattern]}: {gone} rows lost, {extra} doubled", flush=True)
    return {"faults": faults, "lost": lost, "doubled": doubled, "by_kind": dict(by_kind)}
