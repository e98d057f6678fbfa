"""Spoil lines, crash servers, kill runs, turn clocks and rewrite what was delivered, for each kind of source.

A day of a project with all kinds of sources, one hour after the other, each with up to eight faults; at the end what
bronze and quarantine hold is compared, order by order, with what the sources have held, and what was made of it with
what plain Python computes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.result import Result, Table, Target

FAULTS, SEED = 100, 20130101


def measure() -> Result:
    """Measure; ``LAKELOOM_FAULTS`` gives another number of faults."""
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "environment")]
    with tempfile.TemporaryDirectory() as place:
        return result(campaign(Path(place), int(os.environ.get("LAKELOOM_FAULTS", FAULTS)), SEED))


def result(found: dict[str, Any]) -> Result:
    """Return the page's facts of what `campaign` has found."""
    by_kind = found["by_kind"]
    kinds = sorted({kind for each in by_kind.values() for kind in each})
    rows = tuple((where, *(each.get(kind, "") for kind in kinds)) for where, each in by_kind.items())
    return Result(
        "campaign",
        "A campaign of faults over all kinds of sources",
        {name: found[name] for name in ("faults", "lost", "doubled")} | {"wrong": len(found["wrong"])},
        (
            Target("faults", FAULTS, "least", "faults that have met something"),
            Target("lost", 1, label="orders that a source held and neither bronze nor quarantine does"),
            Target("doubled", 1, label="orders that they hold twice, or that no source has held"),
            Target("wrong", 1, label="tables, exports, failures without a code, channels that another one has held up"),
        ),
        tables=(Table("Faults by channel and kind", ("channel", *kinds), rows),),
        notes=(
            "A fault counts where it has met something: a line over which a connection came while it was spoilt, a "
            "server that crashed or a run that was killed while the run was going on. `run` is what befell the run "
            f"itself. `make campaign KIND=sources FAULTS={found['faults']}` is the same by a command of its own.",
        ),
    )


def campaign(folder: Path, faults: int, seed: int, root: str | None = None) -> dict[str, Any]:
    """Inject `faults` faults and return the counts.

    Parameters
    ----------
    root : {'s3', 'azure', 'google'}, optional
        In which store the tables lie, whose line and server have faults too; by default in a folder.

    Raises
    ------
    RuntimeError
        Where a server, or what installs it, is not on this machine.
    """
    from tests.scenarios.day.day import Day
    from tests.scenarios.day.places import places

    with places(folder, root) as found:
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
