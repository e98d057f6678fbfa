"""What a table's declaration may say: its inputs, its transform, keys, writing, contract and rules."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from lakeloom.cleansing.spec import VerbSpec
from lakeloom.core.steps import ReadMode
from lakeloom.quality.spec import RuleSpec
from lakeloom.tables.words import DurationText, Share

NOT_NULL = "not_null"


class Strict(BaseModel):
    """A frozen model that forbids unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _plain_type(value: str) -> str:
    """Refuse what can't be a type: it becomes SQL, and no type needs quotes, semicolons or comments."""
    if not re.fullmatch(r"[A-Za-z][\w<>(),:\s]*", value):
        raise ValueError("a Spark SQL type is wanted, such as double, decimal(10,2) or array<string>")
    return value


class ColumnSpec(Strict):
    """One column of a contract.

    Attributes
    ----------
    type : str
        A Spark SQL type, such as ``double`` or ``timestamp``.
    available_at : str, optional
        SQL expression: when the value is known. A column without it can't be a feature.
    """

    type: Annotated[str, AfterValidator(_plain_type)]
    nullable: bool = True
    unit: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    available_at: str | None = None


def _column(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class WriteSpec(Strict):
    """How the rows go into the table: appended, merged by key, or the whole table anew."""

    mode: Literal["append", "merge", "overwrite"] = "overwrite"
    sequence_by: str | None = None


class TableSpec(Strict):
    """One table of ``tables.yml``.

    Attributes
    ----------
    event_time : str, optional
        The column that says when a row's event happened: for freshness and for backfills by event.
    freshness : Duration, optional
        How old the newest event may be before people are told that data is late.
    quarantine_above : float, optional
        The share of rows in quarantine above which people are told; the project's where absent.
    clean : tuple of VerbSpec
        What mends the rows after the SQL or function and before the contract. With it, a table of one input
        needs neither: it begins with its input's columns.
    """

    owner: str | None = None
    description: str | None = None
    from_: dict[str, ReadMode] = Field(alias="from")
    sql: str | None = None
    function: str | None = None
    keys: tuple[str, ...] = ()
    write: WriteSpec = WriteSpec()
    columns: dict[str, Annotated[ColumnSpec, BeforeValidator(_column)]] = {}
    evolve: Literal["none", "add"] = "none"
    event_time: str | None = None
    freshness: DurationText | None = None
    quarantine_above: Share | None = None
    rules: tuple[RuleSpec, ...] = ()
    clean: tuple[VerbSpec, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether the table begins with the columns of its only input."""
        return bool(self.clean) and self.sql is None and self.function is None and len(self.from_) == 1

    def reasons(self) -> tuple[str, ...]:
        """Return the reasons for which cleansing may send a row to quarantine."""
        return tuple(dict.fromkeys(reason for verb in self.clean for reason in verb.made().reasons()))

    def judged(self) -> tuple[RuleSpec, ...]:
        """Return the rules of the table: the declared ones, and those that keys and contract imply.

        Keys and columns that are not nullable are NOT NULL. Keys are unique: a merge sees to it by
        taking the newest row of a key; elsewhere a repeated key fails the step, since dropping a row
        would hide a mistake.
        """
        declared = {rule.column for rule in self.rules if rule.expectation and rule.expectation.name == NOT_NULL}
        needed = dict.fromkeys([*self.keys, *(name for name, column in self.columns.items() if not column.nullable)])
        implied = [RuleSpec(column=name, expect=NOT_NULL) for name in needed if name not in declared]
        if self.keys and self.write.mode != "merge" and not self._keys_are_checked():
            unique: dict[str, Any] = {"columns": self.keys, "expect": "unique_together"}
            if len(self.keys) == 1:
                unique = {"column": self.keys[0], "expect": "unique"}
            implied.append(RuleSpec(**unique, otherwise="fail"))
        return (*implied, *self.rules)

    def _keys_are_checked(self) -> bool:
        return any(
            rule.expectation is not None
            and rule.expectation.name in ("unique", "unique_together")
            and set(rule.reads()) == set(self.keys)
            for rule in self.rules
        )
