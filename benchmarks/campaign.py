"""Kill runs of the flights project at many moments and count what was lost or doubled.

``make campaign FAULTS=20``. Each fault is a SIGKILL of the whole process group at a chosen phase of a
step; after each, the run is let finish and every published table is compared, row by row, with that of
a run that nobody disturbed. The last line is JSON: ``{"faults", "lost", "doubled", "by_kind"}``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

from tests.scenarios.flights import Flights, lay_out
from tests.scenarios.killing import MOMENTS, MORE, SELECTED, kill_at, lines


def differences(expected: dict[str, Counter[str]], found: dict[str, Counter[str]]) -> tuple[int, int]:
    """Return how many rows of `expected` are missing in `found`, and how many of `found` are too many."""
    lost = doubled = 0
    for table in expected.keys() | found.keys():
        wanted, got = expected.get(table, Counter()), found.get(table, Counter())
        lost += (wanted - got).total()
        doubled += (got - wanted).total()
    return lost, doubled


def campaign(flights: Flights, folder: Path, faults: int, seed: int) -> dict[str, object]:
    """Inject `faults` kills, a fresh storage root each, and return the counts."""
    chance, moments = random.Random(seed), MOMENTS | MORE
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
        print(f"{number + 1} of {faults}: killed {moments[pattern]}: {gone} rows lost, {extra} doubled")
    return {"faults": faults, "lost": lost, "doubled": doubled, "by_kind": dict(by_kind)}


def main() -> None:
    """Run the campaign and print its last line; exit 1 where a row was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20130101)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        result = campaign(lay_out(Path(place) / "project"), Path(place), asked.faults, asked.seed)
    print(json.dumps(result))
    raise SystemExit(1 if result["lost"] or result["doubled"] else 0)


if __name__ == "__main__":
    main()
