"""What came of a rule, and the error where it must stop the step.

Messages name rules and counts, never values: a value may be personal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from lakeloom.core.errors import RuleError
from lakeloom.quality.spec import Level


@dataclass(frozen=True)
class RuleResult:
    """What one rule found.

    Attributes
    ----------
    name, column : str
        The rule's stable name; the column it is about, None for SQL and whole tables.
    level : {'warn', 'quarantine', 'fail'}
        What the rule asks for.
    rows : int
        Rows that were checked: value checks skip NULL.
    broken : int
        Rows that broke it; for uniqueness all rows of a repeated key, as great-expectations counts them.
    passed : bool
        Whether it holds, its ``at_most`` share granted.
    stops : bool
        Whether it must stop the step.
    observed : int, float, str or None
        For table rules, the figure that was compared with the bounds.
    profile : dict or None
        For rules over time, what later executions are compared with.
    """

    name: str
    column: str | None
    level: Level
    rows: int
    broken: int
    passed: bool
    stops: bool = False
    observed: int | float | str | None = None
    profile: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the result for facts and ``--json``; a profile only where there is one."""
        found = asdict(self)
        if self.profile is None:
            del found["profile"]
        return found


def require(results: Iterable[RuleResult], where: str, code: str = "LL-RULE-001") -> None:
    """Raise `code` (LL-RULE-001 before a commit, LL-RULE-002 after it) where a result must stop the step."""
    results = tuple(results)
    stopping = [result for result in results if result.stops]
    if not stopping:
        return
    told = "; ".join(
        f"'{each.name}' ({each.broken:,} of {each.rows:,} rows)" if each.broken else f"'{each.name}'"
        for each in stopping
    )
    error = RuleError(
        code,
        f"{len(stopping)} rule{'s' if len(stopping) > 1 else ''} broken: {told}",
        where=where,
        fix="mend the data or the transform, or change the rule's level",
    )
    error.results = tuple(result.as_dict() for result in results)
    raise error
