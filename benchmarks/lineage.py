"""What noting column lineage adds to a step, and how quickly ``lakeloom lineage`` answers in a large project.

The demo's silver and gold tables are built anew, again and again in one process, with lineage and with its one function
taken away, in turns. One month of data only: the less a step has to do, the more its lineage weighs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.overhead import interval
from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target

PAIRS = 9
MOST, ANSWER_S = 1.05, 1.0
STEPS = ("silver.*", "gold.route_delays", "gold.airport_hours", "gold.flight_plan")
LEVELS, WIDTH, COLUMNS, TIMES = 30, 10, 17, 5


def measure() -> Result:
    """Run the pairs and ask the command; ``LAKELOOM_PAIRS`` says how many pairs, 9 by default."""
    pairs = int(os.environ.get("LAKELOOM_PAIRS", PAIRS))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        noting, found = _pairs(folder, pairs)
        answers, jvms, edges = _answers(folder)
    return result(found, noting, answers, jvms, edges)


def result(
    found: Sequence[tuple[float, float]], noting: Sequence[float], answers: Sequence[float], jvms: int, edges: int
) -> Result:
    """Return the page's facts.

    Parameters
    ----------
    found : sequence of (float, float)
        Seconds of all steps with lineage, and without, pair by pair.
    noting : sequence of float
        Seconds that went into noting, pair by pair.
    answers : sequence of float
        Seconds of ``lakeloom lineage``.
    """
    ratios = [ours / without for ours, without in found]
    low, high = interval(ratios)
    shares = [spent / ours for spent, (ours, _) in zip(noting, found, strict=True)]
    figures = {
        "ratio": round(median(ratios), 3),
        "ratio_low": round(low, 3),
        "ratio_high": round(high, 3),
        "share_of_steps": round(median(shares), 4),
        "with_s": round(median(ours for ours, _ in found), 2),
        "without_s": round(median(without for _, without in found), 2),
        "answer_s": round(median(answers), 3),
        "answer_jvms": float(jvms),
        "edges": float(edges),
        "pairs": float(len(found)),
    }
    numbered = enumerate(zip(found, noting, strict=True), start=1)
    rows = tuple((n, f"{a:.2f}", f"{b:.2f}", f"{a / b:.3f}", f"{spent * 1000:.0f}") for n, ((a, b), spent) in numbered)
    return Result(
        "lineage",
        "Column lineage",
        figures,
        (
            Target("ratio", MOST, label="the steps' time with column lineage over that without"),
            Target("answer_s", ANSWER_S, label=f"seconds of `lakeloom lineage` at {LEVELS * WIDTH} tables"),
        ),
        {"vs_without": round(1 / median(ratios), 3)},
        (Table("Seconds of each pair", ("pair", "with", "without", "ratio", "noting, ms"), rows),),
        (
            f"The ratio is the median of {len(ratios)} interleaved pairs, with a 95 % interval of {low:.3f} to "
            f"{high:.3f} (bootstrap of the median); each side builds the demo's silver tables and three gold ones anew "
            "from one month of data, in one process that is warm. Noting itself, measured inside the steps, is "
            f"{100 * median(shares):.1f} % of them. The command is asked in a project of {LEVELS * WIDTH} tables and "
            f"{edges:,} edges between their columns, for all that one column of the last table comes from.",
        ),
    )


def _pairs(folder: Path, pairs: int) -> tuple[list[float], list[tuple[float, float]]]:
    landing, root = folder / "landing", folder / "root"
    run([sys.executable, "conf/flights/landing.py", "--to", str(landing)], folder)
    for file in landing.rglob("*_2013-*"):
        if "_2013-01" not in file.name:
            file.unlink()
    os.environ |= {"LAKELOOM_HOME": str(root), "LAKELOOM_LANDING": str(landing)}
    from lakeloom.api.lakehouse import open_lakehouse

    lake = open_lakehouse("conf/flights")
    if lake.run("bronze.*", *STEPS).status != "done":
        raise RuntimeError("the demo did not run")
    _built(lake)
    found, noting = [], []
    for number in range(pairs):
        seconds = {}
        for side in ("with", "without") if number % 2 else ("without", "with"):
            with _noting(off=side == "without") as spent:
                seconds[side] = _built(lake)
            if side == "with":
                noting.append(sum(spent))
        found.append((seconds["with"], seconds["without"]))
    return noting, found


def _built(lake: Any) -> float:
    ran = lake.run(*STEPS, full_refresh=True)
    if ran.status != "done":
        raise RuntimeError("a step failed")
    return float(sum(step.seconds for step in ran.steps))


@contextmanager
def _noting(*, off: bool) -> Iterator[list[float]]:
    """Take the time that noting takes, or take noting away."""
    from lakeloom.flow import transform

    real, spent = transform.noted, list[float]()

    def timed(*words: Any, **more: Any) -> Any:
        begun = time.perf_counter()
        try:
            return {} if off else real(*words, **more)
        finally:
            spent.append(time.perf_counter() - begun)

    transform.noted = timed
    try:
        yield spent
    finally:
        transform.noted = real


def _answers(folder: Path) -> tuple[list[float], int, int]:
    """Return the command's seconds, the JVMs that it started, and how many edges the project has."""
    home = folder / "large"
    edges = lay_out(home)
    place = {"LAKELOOM_HOME": str(home / ".lakeloom")}
    words = [
        str(LAKELOOM),
        "lineage",
        f"gold.t{LEVELS - 1}_3.c5",
        "--up",
        "--json",
        "--conf",
        str(home / "conf" / "large"),
    ]
    ran = [run(words, folder, place) for _ in range(TIMES)]
    reached = json.loads(ran[0].output)["edges"]
    if not any(edge["from"] == "bronze.x.c5" for edge in reached):
        raise RuntimeError("the command did not reach the source")
    shutil.rmtree(home)
    return [each.seconds for each in ran], max(each.jvms for each in ran), edges


def lay_out(home: Path) -> int:
    """Write a project of levels of tables, each of columns of two tables of the level below, as if it had run."""
    from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
    from lakeloom.lineage.made import keep
    from lakeloom.store.intents import Intent, Intents

    conf, root = home / "conf" / "large", home / ".lakeloom"
    conf.mkdir(parents=True)
    (home / "conf" / "base.yml").write_text("project: large\n")
    (conf / "sources.yml").write_text("sources:\n  x: {kind: files, path: in/*.csv, format: csv}\n")
    names, edges, lines, intents = [f"c{number}" for number in range(COLUMNS)], 0, ["tables:"], Intents(root)
    for level in range(LEVELS):
        for at in range(WIDTH):
            table = f"gold.t{level}_{at}"
            below = [f"gold.t{level - 1}_{(at + step) % WIDTH}" for step in (0, 1)] if level else ["bronze.x"]
            selected = ", ".join(f"a.{name}" for name in names)
            joined = f" join {below[1]} b on a.c0 = b.c0" if level else ""
            lines += [f"  {table}:", f"    from: {{{', '.join(f'{each}: whole' for each in below)}}}"]
            lines += [f"    sql: select {selected} from {below[0]} a{joined}"]
            columns = {
                name: ColumnFlow(
                    f"coalesce({name}, {name})", "made", tuple(Flow(each, name, "value") for each in below)
                )
                for name in names
            }
            edges += COLUMNS * len(below)
            key = keep(root, Flows(columns, tuple(Flow(each, "", "rows") for each in below)))
            intent = Intent(table, 1, "20260101T000000-000000", "", 7, "", reads=dict.fromkeys(below, 0))
            intents.begin(intent)
            intents.finish(intent, {"versions": {table: 0}, "lineage": {table: key}})
    (conf / "tables.yml").write_text("\n".join(lines) + "\n")
    return edges
