"""One replay from start to end: a run of the table's step alone, and what came of the chosen rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lakeloom.flow.choice import Choice
from lakeloom.flow.desk import step_of
from lakeloom.flow.prepare import REPLAYED
from lakeloom.flow.replay import Replay
from lakeloom.flow.result import Listener, RunResult
from lakeloom.flow.runner import run
from lakeloom.project.spec import Project
from lakeloom.store.intents import Intents

# An execution that was interrupted is finished first; once is enough unless steps fail.
_RUNS = 3


@dataclass(frozen=True)
class Replayed:
    """What a replay did.

    Attributes
    ----------
    rows : int
        How many rows were judged again.
    written : int
        How many the table took; one that was superseded meanwhile is not among them.
    breaking : dict
        Rule → how many rows still break it, and stay in quarantine.
    run : RunResult
    """

    table: str
    rows: int
    written: int
    breaking: dict[str, int] = field(default_factory=dict)
    run: RunResult | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 1 the step failed, 130 stopped by the user."""
        return self.run.exit_code if self.run else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``quarantine TABLE replay --json``."""
        counts = {"table": self.table, "rows": self.rows, "written": self.written, "breaking": self.breaking}
        return counts | {"run": self.run.as_dict() if self.run else None}


def replay(project: Project, table: str, choice: Choice, *, listener: Listener | None = None) -> Replayed:
    """Run the chosen rows of a table's quarantine again, exactly once.

    Raises
    ------
    RunError
        LL-RUN-001 for a table that no step writes, LL-RUN-002 where another run holds the root.
    FixError
        LL-FIX-002 for a malformed condition. What else is wrong fails the step, in the run's result.
    """
    step = step_of(project, table)
    choice.check(step.name)
    wanted = Replay(step.name, choice)
    intents = Intents(project.root)
    for _ in range(_RUNS):
        ran = run(project, [step.name], listener=listener, replay=wanted)
        finished = ran.steps[0].reason.startswith(REPLAYED) if ran.steps else False
        record = intents.published(step.name)
        if ran.status != "done" or not finished or (record and record.intent.replay == choice.as_dict()):
            break
    result = ran.steps[0] if ran.steps else None
    if result is None or result.status != "done":
        return Replayed(step.name, 0, 0, {}, ran)
    rules = (record.facts or {}).get("rules", ()) if record else ()
    breaking = {rule["name"]: rule["broken"] for rule in rules if rule["broken"] and rule["level"] == "quarantine"}
    return Replayed(step.name, result.rows_in, result.rows_out, breaking, ran)
