"""Judging rows: all row rules in one pass, the broken rows with the names of the rules they broke.

`judge` marks every row with one bit a rule (which rules look at it, which it breaks) and counts the
marks in one aggregate, which fills the cache where the rows took more than reading, so that the good and
the broken half are written from one computation. The reasons, a list of texts, are made of the marks of
broken rows only, when they are written. Counting by Spark's observations was rejected: a merge reads its
source twice and Delta may prune the plan, and the counts must be known before the commit, since a
``fail`` rule stops it. What came before the rules speaks through platform columns: ``_faults`` (reasons,
such as a value that the contract's type can't hold), ``_unread`` (such values as text, for the
quarantine) and ``_changed_…`` (numbers to be summed, such as rows that a cleansing verb changed).

Refused, as LL-RULE-003: a rule on a column that is not there, bounds that don't fit the column's
type, SQL that does not analyse or is no condition.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.quality.background import Background
from lakeloom.quality.marks import FAULTS, Marks
from lakeloom.quality.plans import read_again_cheaply
from lakeloom.quality.raising import blamed
from lakeloom.quality.references import look_up
from lakeloom.quality.results import RuleResult, require
from lakeloom.quality.spec import RuleSpec, require_unique

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

REASONS = "_reasons"
CHANGED = "_changed_"
UNREAD = "_unread"


@dataclass(frozen=True)
class JudgedFrame:
    """Rows with the rules they broke.

    Attributes
    ----------
    marked : DataFrame
        The rows as they came, with their marks.
    marks : Marks
        Which bit of the marks is which rule.
    results : tuple of RuleResult
        One for each row rule, in the rules' order, then one for each reason that ``_faults`` held.
    rows, broken_rows : int
        How many rows there are, and how many of them go to quarantine; -1 rows where no rule counted.
    cached : bool
        Whether `marked` is persisted, until `release`.
    changed : dict
        What follows ``_changed_`` in a column's name → its sum over all rows.
    """

    marked: DataFrame
    marks: Marks
    results: tuple[RuleResult, ...]
    rows: int
    broken_rows: int
    cached: bool
    changed: dict[str, int] = field(default_factory=dict)

    @property
    def frame(self) -> DataFrame:
        """All rows, with ``_reasons array<string>``: names of the broken quarantine rules, empty for good rows."""
        return self.marked.withColumn(REASONS, self.marks.reasons()).drop(*self._own)

    @property
    def good(self) -> DataFrame:
        """The rows that broke no quarantine rule, in the columns they came in."""
        rows = self.marked.where(~self.marks.rejected()) if self.broken_rows else self.marked
        return rows.drop(UNREAD, *self._own, *self._summed)

    @property
    def broken(self) -> DataFrame:
        """The rows for quarantine, with ``_reasons``."""
        rows = self.marked.where(self.marks.rejected()).withColumn(REASONS, self.marks.reasons())
        return rows.drop(*self._own, *self._summed)

    @property
    def _own(self) -> list[str]:
        return [FAULTS, *self.marks.columns]

    @property
    def _summed(self) -> list[str]:
        return [name for name in self.marked.columns if name.startswith(CHANGED)]

    def release(self) -> None:
        """Drop the cached rows."""
        if self.cached:
            self.marked.unpersist()


def judge(
    frame: DataFrame,
    rules: Sequence[RuleSpec],
    where: str = "",
    *,
    cache: bool = True,
    often: bool = False,
    background: Background | None = None,
    exempt: str | None = None,
    always: Collection[str] = (),
) -> JudgedFrame:
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
        Whether the judged rows may be persisted by the counting pass; call `JudgedFrame.release` then. Rows that
        are read again as cheaply never are (`lakeloom.quality.plans`).
    often : bool
        Whether the judged rows are read more than once after the counting: a merge reads its source for the
        repeated keys, their ranges, what to touch, and the write. Then they are always kept.
    background : Background, optional
        Where rules look at other tables.
    exempt : str, optional
        A boolean column that `frame` may have: rows that say true (deletions, which know their key and little
        more) are held only to the rules on the columns `always`.

    Raises
    ------
    RuleError
        LL-RULE-001 where a rule at level ``fail``, or the share of a quarantine rule, is broken;
        LL-RULE-003 where a rule is wrong.
    """
    from pyspark.sql import functions as F

    from lakeloom.quality.verdicts import spared, verdicts

    require_unique(rules)
    mine = [rule for rule in rules if rule.scope == "row"]
    looked, known = look_up(frame, mine, background, where)
    found = verdicts(frame, mine, where, known)
    if exempt is not None and exempt in frame.columns:
        found = [v if rule.column in always else spared(v, exempt) for rule, v in zip(mine, found, strict=True)]
    faults = FAULTS in frame.columns
    marks = Marks.of([rule.title for rule in mine], [rule.otherwise == "quarantine" for rule in mine], faults=faults)
    summed = [name for name in frame.columns if name.startswith(CHANGED)]
    marked = looked.select(*[F.col(quoted(name)) for name in frame.columns], *marks.made_of(found))
    if not mine and not summed and not faults:
        return JudgedFrame(marked, marks, (), -1, 0, cached=False)
    cached = cache and (often or not read_again_cheaply(marked))
    if cached:
        marked = marked.persist()
    counts = [F.count("*").alias("rows"), *marks.counts(found, kept=cached)]
    counts += [F.coalesce(F.sum(quoted(name)), F.lit(0)).cast("bigint").alias(name) for name in summed]
    try:
        row = (marked if cached else looked).agg(*counts).first()
        assert row is not None  # an aggregate without groups has one row
        results = tuple(
            _result(
                rule, row["rows"] if found[index].checked is None else row[f"checked_{index}"], row[f"broken_{index}"]
            )
            for index, rule in enumerate(mine)
        )
        if faults and row["out"]:
            results += _faults(marked, row["rows"])
        require(results, where)
    except BaseException as cause:
        if cached:
            marked.unpersist()
        asked = [(rule, [F.count_if(each.broken).alias("n")]) for rule, each in zip(mine, found, strict=True)]
        culprit = blamed(looked, asked, cause, where)
        if culprit is not None:
            raise culprit from cause
        raise
    changed = {name.removeprefix(CHANGED): row[name] for name in summed}
    return JudgedFrame(marked, marks, results, row["rows"], row["out"], cached, changed)


def _faults(marked: DataFrame, rows: int) -> tuple[RuleResult, ...]:
    """Return a result for each reason that was there before the rules."""
    from pyspark.sql import functions as F

    faulty = marked.where(f"size({FAULTS}) > 0").select(F.explode(FAULTS).alias("reason"))
    reasons = faulty.groupBy("reason").count().orderBy("reason").collect()
    return tuple(RuleResult(row["reason"], None, "quarantine", rows, row["count"], passed=False) for row in reasons)


def _result(rule: RuleSpec, checked: int, broken: int) -> RuleResult:
    passed = rule.passes(checked, broken)
    stops = not passed and (rule.otherwise == "fail" or (rule.otherwise == "quarantine" and rule.at_most is not None))
    return RuleResult(rule.title, rule.column, rule.otherwise, checked, broken, passed, stops)
