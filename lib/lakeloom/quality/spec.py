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

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from lakeloom.core.errors import RuleError
from lakeloom.core.kinds import nearest
from lakeloom.quality.arguments import ARGUMENTS, Arguments, Share, in_short
from lakeloom.quality.conditions import fault
from lakeloom.quality.expectations import BY_NAME, EXPECTATIONS, NOT_TAKEN, Expectation
from lakeloom.quality.patterns import misfit

Level = Literal["warn", "quarantine", "fail"]
_LONGEST_NAME = 80
# Which of ``ignore`` belongs to two columns and which to several.
_IGNORE = {
    "pair": ("both_values_are_missing", "either_value_is_missing", "neither"),
    "columns": ("all_values_are_missing", "any_value_is_missing", "never"),
}


def _refuse(reason: str) -> PydanticCustomError:
    # The coded error travels in the context: ``check`` takes code and fix from there, the line from pydantic.
    error = RuleError("LL-RULE-003", reason, fix="mend the rule")
    return PydanticCustomError("LL-RULE-003", "{reason}", {"reason": reason, "error": error})


class RuleSpec(Arguments):
    """One rule of a table.

    Attributes
    ----------
    column : str, optional
        The column that the expectation is about.
    columns : tuple of str, optional
        Several, for ``unique_together``, ``references``, pairs and the like.
    expect : str, optional
        An expectation's name; either this or `sql`.
    sql : str, optional
        A condition on one row that must be true.
    otherwise : {'warn', 'quarantine', 'fail'}
        What happens where it does not hold. Table rules can't quarantine a row: default ``fail``
        there, ``quarantine`` for row rules.
    name : str, optional
        The rule's name; needed where two rules of a table would share one.
    nulls : {'pass', 'break'}, optional
        Whether NULL passes. By default expectations follow great-expectations (NULL passes value
        checks), and an SQL condition that is NULL is broken.
    at_most : float, optional
        Share of the checked rows (0 to 1, or ``1 %``) that may break the rule. Beyond it a
        ``quarantine`` rule fails the step, since something is wrong with more than rows.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    expect: str | None = None
    sql: str | None = None
    otherwise: Level = "quarantine"
    name: str | None = Field(default=None, min_length=1, max_length=128)
    nulls: Literal["pass", "break"] | None = None
    at_most: Share | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_names(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        try:
            data = in_short(data)
        except ValueError as wrong:
            raise _refuse(str(wrong)) from None
        if "mostly" in data:
            mostly = data.pop("mostly")
            if "at_most" in data:
                raise _refuse("'mostly' and 'at_most' say the same; give one of them")
            if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 <= mostly <= 1:
                raise _refuse("'mostly' is a share from 0 to 1")
            data["at_most"] = round(1 - mostly, 12)
        if data.get("expect") in NOT_TAKEN:
            raise _refuse(_unknown(str(data["expect"])))
        expectation = BY_NAME.get(str(data.get("expect")))
        if expectation is not None and expectation.scope == "table":
            data.setdefault("otherwise", expectation.level)
        if expectation is not None and "options" in expectation.takes:
            more = {key: data.pop(key) for key in set(data) - set(cls.model_fields)}
            data["options"] = {**data.get("options", {}), **more} if more else data.get("options")
            if data["options"] is None:
                del data["options"]
        return data

    @model_validator(mode="after")
    def _fits(self) -> RuleSpec:
        if (self.expect is None) == (self.sql is None):
            raise _refuse("a rule has either 'expect' or 'sql'")
        if self.sql is not None:
            given = [name for name in ("column", "columns", *ARGUMENTS) if name in self.model_fields_set]
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
            raise _refuse(_unknown(str(self.expect)))
        foreign = [name for name in ARGUMENTS if name in self.model_fields_set and name not in expectation.takes]
        if foreign:
            raise _refuse(f"'{expectation.name}' takes no {', '.join(foreign)}")
        if expectation.needs and all(name not in self.model_fields_set for name in expectation.needs):
            raise _refuse(f"'{expectation.name}' needs {' or '.join(expectation.needs)}")
        self._names_columns(expectation)
        if expectation.scope == "table" and self.otherwise == "quarantine":
            raise _refuse(f"'{expectation.name}' is about the whole table: it can warn or fail, not quarantine a row")
        if self.at_most is not None and not expectation.counts:
            raise _refuse(f"'{expectation.name}' has no share of rows; 'at_most' does not apply")
        if self.nulls is not None and not expectation.skips_null:
            raise _refuse(f"'nulls' does not apply to '{expectation.name}'")
        problem = misfit(expectation.name, self)
        if problem:
            raise _refuse(problem)

    def _names_columns(self, expectation: Expectation) -> None:
        on, count = expectation.on, len(self.columns)
        fits = {
            "column": self.column is not None and not count,
            "columns": self.column is None and count > 0,
            "any": (self.column is not None) != (count > 0),
            "pair": self.column is None and count == 2,
            "table": self.column is None and not count,
            "names": (self.column is not None) != (count > 0) and (self.column is None or expectation.name == EXISTS),
        }
        if not fits[on]:
            wanted = {
                "any": "'column' or 'columns'",
                "column": "one 'column'",
                "columns": "'columns'",
                "pair": "two 'columns'",
                "table": "no column",
            }
            one = "one 'column'" if expectation.name == EXISTS else "'columns'"
            raise _refuse(f"'{expectation.name}' takes {wanted.get(on, one)}")
        if self.ignore is not None and self.ignore not in _IGNORE.get(on, ()):
            raise _refuse(f"'ignore' of '{expectation.name}' is one of {', '.join(_IGNORE[on])}")

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
        about = self.column or ("" if self.expectation.on == "names" else "+".join(self.columns))
        if not about:
            return f"{self.expectation.name}:{self.to}" if self.to else self.expectation.name
        return f"{about}:{self.expectation.name}"

    @property
    def null_breaks(self) -> bool:
        """Whether NULL counts as broken."""
        if self.nulls is not None:
            return self.nulls == "break"
        return self.expectation is None

    @property
    def asks_source(self) -> bool:
        """Whether the other side is a source (``sources.x``) and no table."""
        return self.to is not None and self.to.startswith(SOURCE)

    @property
    def needs_more(self) -> bool:
        """Whether it looks beyond the table: at another one, at the clock, or at what was before."""
        return self.expectation is not None and self.expectation.beyond

    @property
    def keys_there(self) -> tuple[str, ...]:
        """The other table's columns that this rule's columns refer to."""
        return self.to_columns or self.reads()

    def reads(self) -> tuple[str, ...]:
        """Return the columns that the expectation reads; SQL's are found when it is analysed."""
        if self.expectation is not None and self.expectation.on == "names":
            return ()
        named = (self.column,) if self.column else self.columns
        more = ((self.order_by,) if self.order_by else ()) + tuple(dict.fromkeys((*self.by, *self.sums)))
        return (*named, *more)

    def passes(self, checked: int, broken: int) -> bool:
        """Return whether `broken` of `checked` rows are few enough; none checked is fine, as in great-expectations."""
        if self.at_most is None or not checked:
            return broken == 0
        return (checked - broken) / checked >= round(1 - self.at_most, 12)


EXISTS = "column_exists"
SOURCE = "sources."


def _unknown(name: str) -> str:
    if name in NOT_TAKEN:
        return f"'{name}' is not taken: {NOT_TAKEN[name]}"
    near = nearest(name, BY_NAME)
    if near:
        return f"'{name}' is not an expectation; did you mean '{near}'?"
    return f"'{name}' is not among the expectations {', '.join(each.name for each in EXPECTATIONS)}"


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
