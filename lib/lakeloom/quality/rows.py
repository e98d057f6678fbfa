"""Judging rows: all row rules in one pass, the broken rows with the names of the rules they broke.

Every row is marked with one bit a rule (which rules look at it, which it breaks), and the marks are counted in one
pass, whose counts are known before anything is published, since a ``fail`` rule stops it. There are two such
passes. `Judging.counted` is one of its own: it fills the cache where the rows took more than reading, so that the
good and the broken half are written from one computation, and a merge reads its source often.
`Judging.while_written` is the one that writes the rows where nobody sees them yet: nothing is read twice, and the
counts are Spark's observations of that pass, held against what was written. The reasons, a list of texts, are made
of the marks of broken rows only, when they are written.

Refused, as LL-RULE-003: a rule on a column that is not there, bounds that don't fit the column's
type, SQL that does not analyse or is no condition.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.quality.background import Background
from lakeloom.quality.judged import CHANGED, JudgedFrame, bare, summed
from lakeloom.quality.marks import FAULTS, Marks
from lakeloom.quality.observed import observed
from lakeloom.quality.plans import read_again_cheaply
from lakeloom.quality.raising import blamed
from lakeloom.quality.references import look_up
from lakeloom.quality.results import RuleResult, require
from lakeloom.quality.spec import RuleSpec, require_unique

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from lakeloom.quality.verdicts import Verdict


@dataclass(frozen=True)
class Judging:
    """Rows with their marks, of which nothing is counted yet.

    Attributes
    ----------
    rules : tuple of RuleSpec
        The row rules.
    looked : DataFrame
        The rows, with what they found in other tables.
    marked : DataFrame
        The rows as they came, with their marks.
    marks : Marks
        Which bit of the marks is which rule.
    found : tuple of Verdict
        Of each rule.
    where : str
        Step or table, for errors.
    """

    rules: tuple[RuleSpec, ...]
    looked: DataFrame
    marked: DataFrame
    marks: Marks
    found: tuple[Verdict, ...]
    where: str

    @property
    def counts(self) -> bool:
        """Whether there is anything to count."""
        return bool(self.rules or self.marks.faults or summed(self.marked))

    @property
    def passing(self) -> DataFrame:
        """The rows that break no quarantine rule, in the columns they came in."""
        return self._passing(self.marked)

    def counted(self, *, cache: bool = True, often: bool = False) -> JudgedFrame:
        """Count in a pass of its own; parameters and errors are those of `judge`."""
        if not self.counts:
            return JudgedFrame(self.marked, self.marks, (), -1, 0, cached=False)
        cached = cache and (often or not read_again_cheaply(self.marked))
        rows = self.marked.persist() if cached else self.looked
        try:
            with self._blaming():
                row = rows.agg(*self.marks.counts(self.found, kept=cached), *self._figures()).first()
                assert row is not None  # an aggregate without groups has one row
                return self._judged(row.asDict(), cached=cached)
        except BaseException:
            if cached:
                self.marked.unpersist()
            raise

    @property
    def once(self) -> bool:
        """Whether the rows may be judged while they are written: then the broken half, if any, is read once more."""
        return self.counts and (not self.marks.rejects or read_again_cheaply(self.marked))

    def while_written(self, write: Callable[[DataFrame], int]) -> JudgedFrame | None:
        """Count in the pass that writes the rows that pass; raises as `judge`.

        Parameters
        ----------
        write : callable
            It is given these rows, writes them where nobody sees them yet, and returns how many they were.

        Returns
        -------
        JudgedFrame or None
            None where the counts did not come, or don't fit what was written: a task that is done again may
            count twice. Nothing is known of the rows then.
        """
        lanes = self.marks.lanes(self.found)
        with self._blaming():
            figures = [self.marks.out(), *lanes.aggregates(), *self._figures()]
            seen, told = observed(self.marked, figures)
            written = write(self._passing(seen))
            row = told()
            if row is None or row["rows"] - row["out"] != written:
                return None
            counts = lanes.counts(row, row["rows"])
            return self._judged(row | counts, cached=False) if counts is not None else None

    def _passing(self, marked: DataFrame) -> DataFrame:
        rows = marked.where(~self.marks.rejected()) if self.marks.rejects else marked
        return bare(rows, self.marks)

    def _figures(self) -> list[Column]:
        """Return what is counted besides the rules."""
        from pyspark.sql import functions as F

        sums = [F.coalesce(F.sum(quoted(name)), F.lit(0)).cast("bigint").alias(name) for name in summed(self.marked)]
        return [F.count("*").alias("rows"), *sums]

    def _judged(self, row: Mapping[str, Any], *, cached: bool) -> JudgedFrame:
        results = tuple(
            _result(
                rule,
                row["rows"] if self.found[index].checked is None else row[f"checked_{index}"],
                row[f"broken_{index}"],
            )
            for index, rule in enumerate(self.rules)
        )
        if self.marks.faults and row["out"]:
            results += _faults(self.marked, row["rows"])
        require(results, self.where)
        changed = {name.removeprefix(CHANGED): row[name] for name in summed(self.marked)}
        return JudgedFrame(self.marked, self.marks, results, row["rows"], row["out"], cached, changed)

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        """Say which rule it was where one raises."""
        from pyspark.sql import functions as F

        try:
            yield
        except BaseException as cause:
            asked = [
                (rule, [F.count_if(each.broken).alias("n")]) for rule, each in zip(self.rules, self.found, strict=True)
            ]
            culprit = blamed(self.looked, asked, cause, self.where)
            if culprit is not None:
                raise culprit from cause
            raise


def judging(
    frame: DataFrame,
    rules: Sequence[RuleSpec],
    where: str = "",
    *,
    background: Background | None = None,
    exempt: str | None = None,
    always: Collection[str] = (),
) -> Judging:
    """Mark every row by the row rules among `rules`; nothing is computed yet. Parameters are those of `judge`.

    Raises
    ------
    RuleError
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
    marked = looked.select(*[F.col(quoted(name)) for name in frame.columns], *marks.made_of(found))
    return Judging(tuple(mine), looked, marked, marks, tuple(found), where)


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
    found = judging(frame, rules, where, background=background, exempt=exempt, always=always)
    return found.counted(cache=cache, often=often)


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
