"""Running a project's tests: each through the very functions that a run refines, judges and audits with.

Nothing is read from or written to the storage root. Rules over the size of a whole table (row counts)
are left out, since a test's rows are never all of it, unless the test asks for their error; so are those
that look beyond the table, at another one, the clock or earlier executions.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import ConfigError, LakeloomError
from lakeloom.core.names import quoted
from lakeloom.core.steps import Step
from lakeloom.flow.difference import NONE, Difference, Row, difference
from lakeloom.flow.explain import explained
from lakeloom.flow.shape import rows_of
from lakeloom.flow.transform import refine
from lakeloom.project.cases import REASONS, Case
from lakeloom.project.fixtures import PLATFORM, Given, Written
from lakeloom.project.graph import steps
from lakeloom.project.spec import Project
from lakeloom.quality.aggregates import audit
from lakeloom.quality.judged import REASONS as BROKEN
from lakeloom.quality.results import require
from lakeloom.quality.rows import judge
from lakeloom.quality.spec import RuleSpec
from lakeloom.session.spark import step_session
from lakeloom.store.manner import DELETED
from lakeloom.tables import bronze
from lakeloom.tables.literals import typed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# A test's clock: rows say when they were ingested, and that must not differ from one day to the next.
MARK = bronze.Stamp(1, "2000-01-01T00:00:00+00:00", "test")
AUDIT = "LL-RULE-002"
# For a handful of rows compiling a plan costs more than interpreting it; no row depends on these.
_SMALL = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
}


@dataclass(frozen=True)
class CaseResult:
    """What came of one test.

    Attributes
    ----------
    name, table, file, line
        The test, and where it stands.
    passed : bool
    seconds : float
    rows : Difference
        Of the rows that came out.
    quarantine : Difference
        Of those that went to quarantine.
    quarantined : dict
        Rule → how many rows it sent to quarantine.
    error : dict or None
        Code, place, message and fix where it failed with an error that was not expected.
    raised : str or None
        The code of the error with which the transform failed, expected or not.
    """

    name: str
    table: str
    file: str
    line: int
    passed: bool
    seconds: float
    rows: Difference = NONE
    quarantine: Difference = NONE
    quarantined: dict[str, int] = field(default_factory=dict)
    error: dict[str, str] | None = None
    raised: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain data; values of rows are Python's own."""
        return asdict(self)

    def __str__(self) -> str:
        head = f"{'passed' if self.passed else 'FAILED'}  {self.table}: {self.name}  ({self.file}:{self.line})"
        parts = []
        if self.error:
            fix = f"\nfix: {self.error['fix']}" if self.error.get("fix") else ""
            parts.append(f"{self.error['code']}  {self.error['message']}{fix}")
        parts += [f"rows\n{_indented(str(self.rows))}"] if self.rows else []
        parts += [f"quarantine\n{_indented(str(self.quarantine))}"] if self.quarantine else []
        if not self.passed and self.quarantined and not self.quarantine:
            told = ", ".join(f"'{rule}' {count}" for rule, count in self.quarantined.items())
            parts.append(f"sent to quarantine: {told}")
        return "\n".join([head, *map(_indented, parts)])


def run_cases(project: Project, cases: Sequence[Case], spark: SparkSession) -> Iterator[CaseResult]:
    """Run tests one after the other in sessions of one application; give each result as it comes."""
    found = {step.name: step for step in steps(project)}
    for case in cases:
        started = time.monotonic()
        seen = _Seen()
        error: LakeloomError | None = None
        with step_session(spark, _SMALL) as session:
            try:
                _carry_out(project, found[case.table], case, session, seen)
            except Exception as cause:  # Spark's and users' errors have no common base; a test tells, it never breaks
                error = explained(cause, case.table)
        yield _result(case, seen, error, round(time.monotonic() - started, 3))


@dataclass
class _Seen:
    """What a test has seen so far: its differences and counts."""

    rows: Difference = NONE
    quarantine: Difference = NONE
    quarantined: dict[str, int] = field(default_factory=dict)


def _result(case: Case, seen: _Seen, error: LakeloomError | None, seconds: float) -> CaseResult:
    raised = error.code if error else None
    if case.raises is not None and error is None:
        error = ConfigError(
            "LL-TEST-001", f"it should fail with {case.raises} and did not", fix="mend the transform, or the test"
        )
    wrong = error is not None and raised != case.raises
    return CaseResult(
        case.name, case.table, case.file, case.line, not (wrong or seen.rows or seen.quarantine), seconds,
        seen.rows, seen.quarantine, seen.quarantined, error.as_dict() if error and wrong else None, raised,
    )  # fmt: skip


def _carry_out(project: Project, step: Step, case: Case, session: SparkSession, seen: _Seen) -> None:
    inputs = {given.table: _frame(session, given) for given in case.given}
    frame = refine(project, step, session, inputs)
    judged = judge(frame, _rules(step), where=step.name, exempt=DELETED, always=step.spec.never_null)
    try:
        broken = _rows(judged.broken) if judged.broken_rows else []
        seen.quarantined = dict(Counter(rule for row in broken for rule in row[BROKEN]))
        good = rows_of(judged.good, step.spec)
        got = _rows(good) if case.expect is not None else []
        _audit(step, case, good)
    finally:
        judged.release()
    types = dict(frame.dtypes)
    if case.expect is not None:
        wanted = _expected(case, case.expect, types)
        seen.rows = difference(wanted, _named(got, case.expect, types), step.spec.keys, ordered=case.ordered)
    _compare_quarantine(step, case, broken, types, seen)


def _compare_quarantine(step: Step, case: Case, broken: list[Row], types: dict[str, str], seen: _Seen) -> None:
    if isinstance(case.quarantined, dict):
        rules = dict.fromkeys([*case.quarantined, *seen.quarantined])
        wanted = {rule: case.quarantined.get(rule, 0) for rule in rules}
        got = {rule: seen.quarantined.get(rule, 0) for rule in rules}
        pairs = tuple(
            ({"rule": rule, "rows": wanted[rule]}, {"rule": rule, "rows": got[rule]})
            for rule in rules
            if wanted[rule] != got[rule]
        )
        seen.quarantine = Difference((), (), pairs)
    elif case.quarantined is not None:
        rows = [{**row, REASONS: sorted(row[BROKEN])} for row in broken]
        kinds = types | {REASONS: "array<string>"}
        wanted_rows = _expected(case, case.quarantined, kinds)
        for row in wanted_rows:
            if row.get(REASONS):
                row[REASONS] = sorted(row[REASONS])
        seen.quarantine = difference(wanted_rows, _named(rows, case.quarantined, kinds), step.spec.keys, ordered=False)


def _audit(step: Step, case: Case, good: DataFrame) -> None:
    rules = _rules(step)
    if case.raises != AUDIT:
        rules = tuple(rule for rule in rules if rule.expectation is None or rule.expectation.on != "table")
    require(audit(good, rules, where=step.name), step.name, AUDIT)


def _rules(step: Step) -> tuple[RuleSpec, ...]:
    return tuple(rule for rule in step.spec.judged() if not rule.needs_more)


def _frame(session: SparkSession, given: Given) -> DataFrame:
    """Return an input's rows with lakeloom's own columns, as a landing would have stamped them."""
    columns = {**given.columns, "_file": "string", "_file_no": "int", "_record": "bigint"}
    rows = [(*row, given.table, 0, number) for number, row in enumerate(given.rows)]
    schema = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    # In one partition, so that rows keep their order.
    frame = session.createDataFrame(rows, schema).coalesce(1)
    stamped = bronze.stamp(frame, given.table.partition(".")[2], MARK)
    return stamped.select(*[quoted(name) for name in (*given.columns, *given.platform)])


def _rows(frame: DataFrame) -> list[Row]:
    found = frame.drop(*[name for name in PLATFORM if name in frame.columns]).toArrow().to_pylist()
    return [{name: _plain(each) for name, each in row.items()} for row in found]


def _plain(each: Any) -> Any:
    """Return maps as dicts: Arrow gives them as pairs."""
    if isinstance(each, list):
        pairs = bool(each) and all(isinstance(item, tuple) for item in each)
        return {key: _plain(item) for key, item in each} if pairs else [_plain(item) for item in each]
    return {key: _plain(item) for key, item in each.items()} if isinstance(each, dict) else each


def _expected(case: Case, written: Written, types: dict[str, str]) -> list[Row]:
    """Return expected rows in the types of what came out."""
    for name in written.columns:
        if name not in types:
            there = ", ".join(column for column in types if not column.startswith("_"))
            raise ConfigError("LL-TEST-001", f"{case.table} has no column '{name}' ({there})", fix="name one of them")
    found = []
    for row, place in zip(written.rows, written.places, strict=True):
        try:
            found.append({name: typed(row.get(name), types[name]) for name in written.columns})
        except ValueError as cause:
            where = f"{place.file}:{place.line}" if place.file else f"{case.file}:{case.line}"
            raise ConfigError("LL-TEST-001", str(cause), where=where, fix="write it in the column's type") from None
    return found


def _named(rows: list[Row], written: Written, types: dict[str, str]) -> list[Row]:
    """Return the columns that the expected rows name; all of them where none is named."""
    names = written.columns or tuple(name for name in types if not name.startswith("_"))
    return [{name: row[name] for name in names} for row in rows]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
