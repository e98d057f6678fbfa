"""Judging rows: all row rules in one pass, the broken rows with the names of the rules they broke.

`judge` adds one column, ``_reasons``, and counts every rule in the same aggregate that fills the
cache, so that the good and the broken half are written from one computation. Counting by Spark's
observations was rejected: a merge reads its source twice and Delta may prune the plan, and the
counts must be known before the commit, since a ``fail`` rule stops it. What came before the rules
speaks through two kinds of platform columns: ``_faults`` (reasons, such as a value that the contract's
type can't hold) and ``_changed_…`` (numbers to be summed, such as rows that a cleansing verb changed).

Refused, as LL-RULE-003: a rule on a column that is not there, bounds that don't fit the column's
type, SQL that does not analyse or is no condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakeloom.quality.results import RuleResult, require
from lakeloom.quality.spec import RuleSpec, require_unique

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

REASONS = "_reasons"
FAULTS = "_faults"
CHANGED = "_changed_"


@dataclass(frozen=True)
class JudgedFrame:
    """Rows with the rules they broke.

    Attributes
    ----------
    frame : DataFrame
        The rows as they came and ``_reasons array<string>``: names of the broken quarantine rules, empty
        for good rows.
    results : tuple of RuleResult
        One for each row rule, in the rules' order, then one for each reason that ``_faults`` held.
    rows, broken_rows : int
        How many rows there are, and how many of them go to quarantine; -1 rows where no rule counted.
    cached : bool
        Whether `frame` is persisted, until `release`.
    changed : dict
        What follows ``_changed_`` in a column's name → its sum over all rows.
    """

    frame: DataFrame
    results: tuple[RuleResult, ...]
    rows: int
    broken_rows: int
    cached: bool
    changed: dict[str, int] = field(default_factory=dict)

    @property
    def good(self) -> DataFrame:
        """The rows that broke no quarantine rule, in the columns they came in."""
        rows = self.frame.where(f"size({REASONS}) = 0") if self.broken_rows else self.frame
        return rows.drop(REASONS, *self._summed)

    @property
    def broken(self) -> DataFrame:
        """The rows for quarantine, with ``_reasons``."""
        return self.frame.where(f"size({REASONS}) > 0").drop(*self._summed)

    @property
    def _summed(self) -> list[str]:
        return [name for name in self.frame.columns if name.startswith(CHANGED)]

    def release(self) -> None:
        """Drop the cached rows."""
        if self.cached:
            self.frame.unpersist()


def judge(frame: DataFrame, rules: Sequence[RuleSpec], where: str = "", *, cache: bool = True) -> JudgedFrame:
    """Judge every row by the row rules among `rules`; table rules are `lakeloom.quality.aggregates`' job.

    Parameters
    ----------
    frame : DataFrame
        The rows of a step, in the table's contract; with ``_faults array<string>`` where reasons were found
        before the rules, and numbers ``_changed_…``.
    rules : sequence of RuleSpec
        The table's rules; names must be unique.
    where : str
        Step or table, for errors.
    cache : bool
        Whether the judged rows are persisted by the counting pass; call `JudgedFrame.release` then.

    Raises
    ------
    RuleError
        LL-RULE-001 where a rule at level ``fail``, or the share of a quarantine rule, is broken;
        LL-RULE-003 where a rule is wrong.
    """
    from pyspark.sql import functions as F

    from lakeloom.quality.verdicts import verdicts

    require_unique(rules)
    mine = [rule for rule in rules if rule.scope == "row"]
    found = verdicts(frame, mine, where)
    named = [
        F.when(verdict.broken, F.lit(rule.title))
        for rule, verdict in zip(mine, found, strict=True)
        if rule.otherwise == "quarantine"
    ]
    reasons = F.array_compact(F.array(*named)).cast("array<string>")
    if FAULTS in frame.columns:
        reasons = F.concat(F.coalesce(FAULTS, F.array().cast("array<string>")), reasons)
    summed = [name for name in frame.columns if name.startswith(CHANGED)]
    judged = frame.withColumn(REASONS, reasons).drop(FAULTS)
    if not mine and not summed and FAULTS not in frame.columns:
        return JudgedFrame(judged, (), -1, 0, cached=False)
    if cache:
        judged = judged.persist()
    counts = [F.count("*").alias("rows"), F.count_if(F.size(REASONS) > 0).alias("out")]
    for index, verdict in enumerate(found):
        counts.append(F.count_if(verdict.checked).alias(f"checked_{index}"))
        counts.append(F.count_if(verdict.broken).alias(f"broken_{index}"))
    counts += [F.coalesce(F.sum(f"`{name}`"), F.lit(0)).cast("bigint").alias(name) for name in summed]
    try:
        row = judged.agg(*counts).first()
        assert row is not None  # an aggregate without groups has one row
        results = tuple(
            _result(rule, row[f"checked_{index}"], row[f"broken_{index}"]) for index, rule in enumerate(mine)
        )
        if FAULTS in frame.columns and row["out"]:
            results += _faults(judged, {rule.title for rule in mine}, row["rows"])
        require(results, where)
    except BaseException:
        if cache:
            judged.unpersist()
        raise
    changed = {name.removeprefix(CHANGED): row[name] for name in summed}
    return JudgedFrame(judged, results, row["rows"], row["out"], cache, changed)


def _faults(judged: DataFrame, rules: set[str], rows: int) -> tuple[RuleResult, ...]:
    """Return a result for each reason that is no rule's."""
    from pyspark.sql import functions as F

    reasons = judged.select(F.explode(REASONS).alias("reason")).groupBy("reason").count().orderBy("reason").collect()
    return tuple(
        RuleResult(row["reason"], None, "quarantine", rows, row["count"], passed=False)
        for row in reasons
        if row["reason"] not in rules
    )


def _result(rule: RuleSpec, checked: int, broken: int) -> RuleResult:
    passed = rule.passes(checked, broken)
    stops = not passed and (rule.otherwise == "fail" or (rule.otherwise == "quarantine" and rule.at_most is not None))
    return RuleResult(rule.title, rule.column, rule.otherwise, checked, broken, passed, stops)
