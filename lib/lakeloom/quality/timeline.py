"""A table's rules over its executions: what came of each, from the results that executions recorded.

A result is one of four outcomes. ``passed``: no row broke the rule, or so few that its share granted them.
``warned``: it was broken and only told. ``quarantined``: rows went to quarantine. ``failed``: the execution
was stopped; of such an execution only the rules of the half that stopped it are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PASSED, WARNED, QUARANTINED, FAILED = OUTCOMES = ("passed", "warned", "quarantined", "failed")


@dataclass(frozen=True)
class Execution:
    """One execution of a table's step: its run, its clock (ISO time in UTC), its epoch, its rules' results."""

    run: str
    at: str
    epoch: int
    results: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Judgement:
    """What came of a rule in one execution.

    Attributes
    ----------
    outcome : {'passed', 'warned', 'quarantined', 'failed'}
    rows, broken : int
        Rows that were checked, and those of them that broke it.
    observed : int, float, str or None
        For table rules, the figure that was compared with the bounds.
    """

    run: str
    at: str
    epoch: int
    outcome: str
    rows: int
    broken: int
    observed: int | float | str | None = None

    @property
    def share(self) -> float | None:
        """The share of checked rows that broke the rule; None where none was checked."""
        return self.broken / self.rows if self.rows else None

    def as_dict(self) -> dict[str, Any]:
        """Return the judgement for ``--json``."""
        return {
            "run": self.run, "at": self.at, "epoch": self.epoch, "outcome": self.outcome, "rows": self.rows,
            "broken": self.broken, "share": self.share, "observed": self.observed,
        }  # fmt: skip


@dataclass(frozen=True)
class RuleOverTime:
    """One rule of a table with its judgements, oldest first; `level` and `column` as they were last."""

    table: str
    rule: str
    column: str | None
    level: str
    judgements: tuple[Judgement, ...]

    @property
    def last(self) -> Judgement:
        """The newest judgement."""
        return self.judgements[-1]

    def count(self, outcome: str) -> int:
        """Return how many judgements have an outcome."""
        return sum(each.outcome == outcome for each in self.judgements)

    def as_dict(self) -> dict[str, Any]:
        """Return the rule for ``--json``."""
        return {
            "table": self.table, "rule": self.rule, "column": self.column, "level": self.level,
            "counts": {outcome: self.count(outcome) for outcome in OUTCOMES},
            "results": [each.as_dict() for each in self.judgements],
        }  # fmt: skip


def outcome(result: Mapping[str, Any]) -> str:
    """Return what a recorded result came to.

    Examples
    --------
    >>> outcome({"level": "quarantine", "passed": False, "broken": 3, "stops": False})
    'quarantined'
    >>> outcome({"level": "warn", "passed": True, "broken": 1, "stops": False})
    'passed'
    """
    if result.get("stops"):
        return FAILED
    if result.get("level") == "quarantine" and result.get("broken"):
        return QUARANTINED
    return PASSED if result.get("passed") else WARNED


def over_time(table: str, executions: Iterable[Execution]) -> list[RuleOverTime]:
    """Return a table's rules with their judgements; those that were judged last first, in that execution's order."""
    judged: dict[str, list[Judgement]] = {}
    last: dict[str, tuple[int, int, Mapping[str, Any]]] = {}
    for execution in executions:
        for place, result in enumerate(execution.results):
            name = str(result["name"])
            last[name] = (-execution.epoch, place, result)
            judged.setdefault(name, []).append(
                Judgement(
                    execution.run, execution.at, execution.epoch, outcome(result),
                    int(result.get("rows") or 0), int(result.get("broken") or 0), result.get("observed"),
                )
            )  # fmt: skip
    return [
        RuleOverTime(table, name, result.get("column"), str(result.get("level") or ""), tuple(judged[name]))
        for name, (_, _, result) in sorted(last.items(), key=lambda entry: entry[1][:2])
    ]
