"""How quickly the command line answers, and that reading commands start no JVM."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.process import LAKELOOM, run
from benchmarks.result import Result, Table, Target
from lakeloom.api.lakehouse import open_lakehouse

TIMES = 5


@dataclass(frozen=True)
class Command:
    """A command, its budget in seconds, how often it runs, and whether it may start a JVM."""

    name: str
    words: tuple[str, ...]
    budget_s: float
    times: int = TIMES
    jvm: bool = False

    @property
    def label(self) -> str:
        """How the summary calls it: the command alone, with the selection of a run."""
        words = self.words if self.words[0] == "run" else self.words[:1]
        return f"`lakeloom {' '.join(words)}`"


COMMANDS = (
    Command("help", ("--help",), 0.5),
    Command("check", ("check",), 2.0),
    Command("tables", ("tables",), 1.0),
    Command("show", ("show", "gold.route_delays"), 1.0),
    Command("history", ("history", "silver.flights"), 1.0),
    Command("lineage", ("lineage",), 1.0),
    Command("sql", ("sql", "select origin, count(*) as flights from silver.flights group by origin"), 1.0),
    Command("run_two_local_sources", ("run", "bronze.flights", "silver.weather"), 3.0),
    Command("run_nothing_changed", ("run",), 20.0, times=3, jvm=True),
)


@dataclass(frozen=True)
class Measured:
    """Medians of a command's runs, and the JVMs that one of them started at most."""

    command: Command
    seconds: float
    processor_s: float
    jvms: int


def measure() -> Result:
    """Run each command on a copy of the demo's storage root; ``make demo`` must have filled it."""
    root = open_lakehouse("conf/flights").root
    if not (root / "tables" / "gold").is_dir():
        raise RuntimeError("there are no tables to read: run 'make demo' first")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "root"
        shutil.copytree(root, copy)
        measured = [_measure(command, copy, Path(folder)) for command in COMMANDS]
    figures = {f"{each.command.name}_s": round(each.seconds, 3) for each in measured}
    rows = tuple(
        (
            f"`lakeloom {' '.join(each.command.words)}`",
            f"{each.seconds:.2f}",
            f"{each.command.budget_s:g}",
            f"{each.processor_s:.2f}",
            each.command.times,
            each.jvms,
        )
        for each in measured
    )
    columns = ("command", "seconds", "budget", "processor seconds", "runs", "JVMs")
    return Result(
        "cli",
        "The command line",
        figures,
        tuple(Target(f"{each.command.name}_s", each.command.budget_s, label=each.command.label) for each in measured),
        tables=(Table("Medians, on the demo's tables", columns, rows),),
        notes=(
            "Each is a new process, Python's start included. Where the seconds are far above the processor's, the "
            "machine was busy with something else. JVMs are counted by a stand-in for `java` that notes each start; "
            "the bench fails where a command that promises none starts one. In the last two lines every step is "
            "skipped, which is asserted; the whole run asks the database over JDBC, which needs a JVM "
            "(Spark's launcher is one more).",
        ),
    )


def _measure(command: Command, root: Path, folder: Path) -> Measured:
    words = [*command.words, "--json"] if command.name != "help" else list(command.words)
    ran = [run([str(LAKELOOM), *words], folder, {"LAKELOOM_HOME": str(root)}) for _ in range(command.times)]
    jvms = max(each.jvms for each in ran)
    if jvms and not command.jvm:
        raise RuntimeError(f"lakeloom {' '.join(words)} started a JVM")
    if command.words[0] == "run":
        steps = [step for each in ran for step in json.loads(each.output)["steps"]]
        busy = sorted({step["name"] for step in steps if step["status"] != "skipped"})
        if busy:
            raise RuntimeError(f"something has changed ({', '.join(busy)}): run 'make demo' first")
    seconds, processor_s = (median(values) for values in zip(*((e.seconds, e.processor_s) for e in ran), strict=True))
    return Measured(command, seconds, processor_s, jvms)
