"""Table rules: all the figures that they need in one aggregate over the table, then each rule's answer.

The kinds are in `figures`, `sets`, `neighbours`, `shape`, `queries`, `reconciliation` and `trends`; what only
great-expectations can judge is handed to it (`external`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakeloom.quality.background import NOTHING, Background
from lakeloom.quality.figures import FIGURES
from lakeloom.quality.neighbours import NEIGHBOURS
from lakeloom.quality.queries import QUERIES
from lakeloom.quality.questions import Ask, Outcome, Subject
from lakeloom.quality.raising import raised
from lakeloom.quality.reconciliation import RECONCILIATION
from lakeloom.quality.results import RuleResult
from lakeloom.quality.sets import SETS
from lakeloom.quality.shape import SHAPE
from lakeloom.quality.spec import RuleSpec, require_unique
from lakeloom.quality.trends import TRENDS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ASKS: dict[str, Ask] = FIGURES | SETS | NEIGHBOURS | SHAPE | QUERIES | RECONCILIATION | TRENDS


def audit(
    frame: DataFrame, rules: Sequence[RuleSpec], where: str = "", background: Background | None = None
) -> list[RuleResult]:
    """Return what the table rules among `rules` find on the whole of `frame`, in the rules' order.

    What rules may know beyond the table is in `background`.

    It raises nothing for a broken rule: pass the results to `lakeloom.quality.results.require` with
    LL-RULE-002 once the table was restored.

    Raises
    ------
    RuleError
        LL-RULE-003 where a rule is wrong.
    SetupError
        LL-SETUP-003 where a rule needs great-expectations and it is not installed.
    """
    from pyspark.sql import functions as F

    require_unique(rules)
    mine = [rule for rule in rules if rule.scope == "table"]
    asked = {
        rule.title: ASKS[rule.expectation.name](Subject(rule, frame, where, background or NOTHING))
        for rule in mine
        if rule.expectation is not None and rule.expectation.name in ASKS
    }
    others = [rule for rule in mine if rule.title not in asked]
    found: dict[str, RuleResult] = {}
    if any(question.figures for question in asked.values()):
        figures = [F.count("*").alias("rows")]
        for index, question in enumerate(asked.values()):
            figures += [column.alias(f"{name}_{index}") for name, column in question.figures.items()]
        row = frame.agg(*figures).first()
        assert row is not None  # an aggregate without groups has one row
        values = row.asDict()
    else:
        values = {"rows": 0}
    for index, rule in enumerate(rule for rule in mine if rule.title in asked):
        question = asked[rule.title]
        try:
            outcome = question.answer({name: values[f"{name}_{index}"] for name in question.figures})
        except Exception as cause:
            culprit = raised(rule, cause, where)
            if culprit is not None:
                raise culprit from cause
            raise
        found[rule.title] = _result(rule, outcome, values["rows"])
    if others:
        from lakeloom.quality.external import validate

        found |= {result.name: result for result in validate(frame, others, where)}
    return [found[rule.title] for rule in mine]


def _result(rule: RuleSpec, outcome: Outcome, rows: int) -> RuleResult:
    checked = rows if outcome.checked is None else outcome.checked
    passed = rule.passes(checked, outcome.broken) if outcome.passed is None else outcome.passed
    stops = not passed and rule.otherwise == "fail"
    column = rule.column or (", ".join(rule.columns) or None)
    observed = _plain(outcome.observed)
    return RuleResult(
        rule.title, column, rule.otherwise, checked, outcome.broken, bool(passed), stops, observed, outcome.profile
    )


def _plain(value: Any) -> int | float | str | None:
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
