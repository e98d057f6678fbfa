"""A rule as the config says it: an expectation on a column, or an SQL condition that must hold.

``{column: distance, expect: values_between, min: 1, max: 6000, otherwise: quarantine}``. Rule names
are stable, since reasons in quarantine and histories of results are keyed by them: the given
``name``, else ``distance:values_between``, else the SQL text. Great-expectations' argument names
(``min_value``, ``value_set``, ``mostly`` …) are taken as well as the short ones.

Refused, as LL-RULE-003: an unknown expectation, a missing or foreign argument, two rules of one name
in a table, a pattern that does not compile, SQL that does not parse or that a replay could answer
otherwise (see `lakeloom.quality.conditions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from lakeloom.core.errors import RuleError
from lakeloom.core.kinds import nearest
from lakeloom.quality.conditions import fault
from lakeloom.quality.expectations import BY_NAME, EXPECTATIONS, Expectation

Level = Literal["warn", "quarantine", "fail"]
Bound = bool | int | float | str
_ARGUMENTS = ("min", "max", "strict_min", "strict_max", "values", "pattern")
_OFFICIAL = {
    "min_value": "min",
    "max_value": "max",
    "value_set": "values",
    "regex": "pattern",
    "column_list": "columns",
}
_LONGEST_NAME = 80


def _refuse(reason: str) -> PydanticCustomError:
    # The coded error travels in the context: ``check`` takes code and fix from there, the line from pydantic.
    error = RuleError("LL-RULE-003", reason, fix="mend the rule")
    return PydanticCustomError("LL-RULE-003", "{reason}", {"reason": reason, "error": error})


class RuleSpec(BaseModel):
    """One rule of a table.

    Attributes
    ----------
    column : str, optional
        The column that the expectation is about.
    columns : tuple of str, optional
        Several, for ``unique_together``.
    expect : str, optional
        An expectation's name; either this or `sql`.
    sql : str, optional
        A condition on one row that must be true.
    min, max : bound, optional
        Inclusive bounds, unless `strict_min` or `strict_max`; dates and times as ISO text.
    values : tuple, optional
        The set of ``in_set`` and ``not_in_set``.
    pattern : str, optional
        A regular expression, found anywhere in the value unless anchored.
    otherwise : {'warn', 'quarantine', 'fail'}
        What happens where it does not hold. Table rules can't quarantine a row: default ``fail``
        there, ``quarantine`` for row rules.
    name : str, optional
        The rule's name; needed where two rules of a table would share one.
    nulls : {'pass', 'break'}, optional
        Whether NULL passes. By default expectations follow great-expectations (NULL passes value
        checks), and an SQL condition that is NULL is broken.
    at_most : float
        Share of the checked rows (0 to 1) that may break the rule. Beyond it a ``quarantine`` rule
        fails the step, since something is wrong with more than rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    columns: tuple[str, ...] = ()
    expect: str | None = None
    sql: str | None = None
    min: Bound | None = None
    max: Bound | None = None
    strict_min: bool = False
    strict_max: bool = False
    values: tuple[Bound, ...] | None = None
    pattern: str | None = None
    otherwise: Level = "quarantine"
    name: str | None = Field(default=None, min_length=1, max_length=128)
    nulls: Literal["pass", "break"] | None = None
    at_most: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _short_names(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        for official, short in _OFFICIAL.items():
            if official in data:
                if short in data:
                    raise _refuse(f"'{official}' and '{short}' say the same; give one of them")
                data[short] = data.pop(official)
        if "mostly" in data:
            mostly = data.pop("mostly")
            if "at_most" in data:
                raise _refuse("'mostly' and 'at_most' say the same; give one of them")
            if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 <= mostly <= 1:
                raise _refuse("'mostly' is a share from 0 to 1")
            data["at_most"] = round(1 - mostly, 12)
        expectation = BY_NAME.get(str(data.get("expect")))
        if expectation is not None and expectation.scope == "table":
            data.setdefault("otherwise", "fail")
        return data

    @model_validator(mode="after")
    def _fits(self) -> RuleSpec:
        if (self.expect is None) == (self.sql is None):
            raise _refuse("a rule has either 'expect' or 'sql'")
        if self.sql is not None:
            given = [name for name in ("column", "columns", *_ARGUMENTS) if name in self.model_fields_set]
            if given:
                raise _refuse(f"an sql rule takes no {', '.join(given)}")
            problem = fault(self.sql)
            if problem:
                raise _refuse(problem)
            return self
        self._fits_expectation()
        return self

    def _fits_expectation(self) -> None:
        expectation = BY_NAME.get(str(self.expect))
        if expectation is None:
            near = nearest(str(self.expect), BY_NAME)
            names = ", ".join(each.name for each in EXPECTATIONS)
            hint = f"; did you mean '{near}'?" if near else ""
            raise _refuse(f"'{self.expect}' is not among the expectations {names}{hint}")
        foreign = [name for name in _ARGUMENTS if name in self.model_fields_set and name not in expectation.takes]
        if foreign:
            raise _refuse(f"'{expectation.name}' takes no {', '.join(foreign)}")
        if expectation.needs and all(getattr(self, name) is None for name in expectation.needs):
            raise _refuse(f"'{expectation.name}' needs {' or '.join(expectation.needs)}")
        if (self.column is not None) != (expectation.on == "column") or bool(self.columns) != (
            expectation.on == "columns"
        ):
            wanted = {"column": "one 'column'", "columns": "'columns'", "table": "no column"}[expectation.on]
            raise _refuse(f"'{expectation.name}' takes {wanted}")
        if expectation.scope == "table" and self.otherwise == "quarantine":
            raise _refuse(f"'{expectation.name}' is about the whole table: it can warn or fail, not quarantine a row")
        if (
            expectation.scope == "table"
            and self.at_most is not None
            and expectation.name not in ("unique", "unique_together")
        ):
            raise _refuse(f"'{expectation.name}' has no share of rows; 'at_most' does not apply")
        if self.nulls is not None and (expectation.scope == "table" or not expectation.skips_null):
            raise _refuse(f"'nulls' does not apply to '{expectation.name}'")
        if self.pattern is not None:
            self._pattern_compiles()

    def _pattern_compiles(self) -> None:
        import re

        # Java's and Python's syntax differ in corners; what Python can't read either is a slip of the pen.
        try:
            re.compile(str(self.pattern))
        except re.error as cause:
            raise _refuse(f"the pattern does not compile: {cause}") from None

    @property
    def expectation(self) -> Expectation | None:
        """The expectation, or None for an SQL rule."""
        return None if self.expect is None else BY_NAME[self.expect]

    @property
    def scope(self) -> Literal["row", "table"]:
        """Whether one row decides or the whole table."""
        return "row" if self.expectation is None else self.expectation.scope

    @property
    def title(self) -> str:
        """The rule's stable name, unique in its table."""
        if self.name:
            return self.name
        if self.expectation is None:
            text = " ".join(str(self.sql).split())
            return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"
        about = self.column or "+".join(self.columns)
        return f"{about}:{self.expectation.name}" if about else self.expectation.name

    @property
    def null_breaks(self) -> bool:
        """Whether NULL counts as broken."""
        if self.nulls is not None:
            return self.nulls == "break"
        return self.expectation is None

    def reads(self) -> tuple[str, ...]:
        """Return the columns that the expectation names; SQL's are found when it is analysed."""
        return (self.column,) if self.column else self.columns


def duplicates(rules: Sequence[RuleSpec]) -> list[tuple[int, str]]:
    """Return (index, name) of each rule whose name an earlier rule of the table has taken."""
    seen: set[str] = set()
    found = []
    for index, rule in enumerate(rules):
        if rule.title in seen:
            found.append((index, rule.title))
        seen.add(rule.title)
    return found


def require_unique(rules: Sequence[RuleSpec]) -> None:
    """Raise LL-RULE-003 where two rules share a name."""
    twice = duplicates(rules)
    if twice:
        raise RuleError(
            "LL-RULE-003",
            f"two rules of one table are called {', '.join(repr(name) for _, name in twice)}",
            fix="give one of them a 'name'",
        )
