"""Spoil lines, crash servers, kill runs, turn clocks and rewrite what was delivered, for each kind of source.

A day of a project with all kinds of sources, one hour after the other, each with up to eight faults; at the end what
bronze and quarantine hold is compared, order by order, with what the sources have held, and what was made of it with
what plain Python computes.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.scenarios.day.day import Day
from tests.scenarios.day.places import places


def campaign(folder: Path, faults: int, seed: int) -> dict[str, Any]:
    """Inject `faults` faults and return the counts.

    Raises
    ------
    RuntimeError
        Where a server, or what installs it, is not on this machine.
    """
    with places(folder) as found:
        if found is None:
            raise RuntimeError(
                "a server, or what installs it (Go, npm), is not on this machine: make servers says more"
            )
        day = Day(folder, found, seed)
        day.befall(faults, tell=lambda line: print(line, flush=True))
        day.settle()
        differences = day.differences()
        truth = day.truth()
        wrong = [name for name, told in (("tables", day.tables()), ("exports", day.gone_out())) if told != truth]
    by_kind: dict[str, Counter[str]] = {}
    for fault, times in sorted(day.counted.items(), key=lambda each: (each[0].where, each[0].kind)):
        by_kind.setdefault(fault.where, Counter())[fault.kind] = times
    return {
        "faults": day.counted.total(),
        "lost": sum(lost for lost, _ in differences.values()),
        "doubled": sum(doubled for _, doubled in differences.values()),
        "by_kind": {where: dict(kinds) for where, kinds in by_kind.items()},
        "wrong": [*wrong, *day.refused],
    }
