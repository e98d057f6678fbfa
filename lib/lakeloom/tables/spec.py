"""What a table's declaration may say: its inputs, its transform, keys, writing, contract and rules."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from lakeloom.cleansing.spec import VerbSpec
from lakeloom.core.steps import ReadMode
from lakeloom.quality.personal import Tag
from lakeloom.quality.spec import RuleSpec
from lakeloom.tables.feed import ChangesSpec
from lakeloom.tables.fitting import Evolve
from lakeloom.tables.resolve import ResolveSpec
from lakeloom.tables.streaming import StreamSpec
from lakeloom.tables.upkeep import UpkeepSpec, asked
from lakeloom.tables.words import DurationText, Share, Strict
from lakeloom.tables.writing import WriteSpec

NOT_NULL = "not_null"


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
    evolve : {'none', 'add', 'widen', 'rescue'}, optional
        What is done with values of another type in this column, and with fields inside it that its type does not
        name; the table's where absent.
    renamed_from : str, optional
        What the column was called before: a table that still has it under that name gets it renamed.
    tags : tuple of {'pii', 'sensitive', 'quasi_identifier'}
        Whether its values are personal; no profile, page or comparison shows them then.
    available_at : str, optional
        SQL expression: when the value is known. A column without it can't be a feature.
    """

    type: Annotated[str, AfterValidator(_plain_type)]
    nullable: bool = True
    evolve: Evolve | None = None
    renamed_from: str | None = None
    unit: str | None = None
    description: str | None = None
    tags: tuple[Tag, ...] = ()
    available_at: str | None = None


def _column(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class TableSpec(Strict):
    """One table of ``tables.yml``.

    Attributes
    ----------
    changes : ChangesSpec, optional
        The input is a stream of changes: its form, in place of SQL or a function.
    resolve : ResolveSpec, optional
        The inputs say different things of the same keys: who is believed, in place of SQL or a function.
    stream : StreamSpec, optional
        The table is made by a streaming query, which remembers rows of earlier executions.
    evolve : {'none', 'add', 'widen', 'rescue'}
        What is done with columns and types that the contract does not name: refused; new columns are added and
        values of another type that don't fit go to quarantine; types are widened too; or all that is unexpected
        is kept as JSON in the column ``_rescued``.
    dropped : tuple of str
        Columns that a table which still has them loses.
    on_change : {'rebuild', 'forward'}
        Whether a changed transform or contract builds the table anew, or holds from the next new rows on.
    event_time : str, optional
        The column that says when a row's event happened: for freshness and for backfills by event.
    freshness : Duration, optional
        How old the newest event may be before people are told that data is late.
    quarantine_above : float, optional
        The share of rows in quarantine above which people are told; the project's where absent.
    clean : tuple of VerbSpec
        What mends the rows after the SQL or function and before the contract. With it, a table of one input
        needs neither: it begins with its input's columns.
    when : str or dict, optional
        What makes `lakeloom watch` run the table; see `lakeloom.project.sensing`.
    upkeep : UpkeepSpec, optional
        What is done for its files and old versions, over the project's; ``true`` for the defaults.
    """

    owner: str | None = None
    description: str | None = None
    from_: dict[str, ReadMode] = Field(alias="from")
    sql: str | None = None
    function: str | None = None
    changes: ChangesSpec | None = None
    resolve: ResolveSpec | None = None
    stream: StreamSpec | None = None
    keys: tuple[str, ...] = ()
    write: WriteSpec = WriteSpec()
    columns: dict[str, Annotated[ColumnSpec, BeforeValidator(_column)]] = {}
    evolve: Evolve = "none"
    dropped: tuple[str, ...] = ()
    on_change: Literal["rebuild", "forward"] = "rebuild"
    event_time: str | None = None
    freshness: DurationText | None = None
    quarantine_above: Share | None = None
    rules: tuple[RuleSpec, ...] = ()
    clean: tuple[VerbSpec, ...] = ()
    when: str | dict[str, str] | None = None
    upkeep: Annotated[UpkeepSpec | None, BeforeValidator(asked)] = None

    @property
    def passes(self) -> bool:
        """Whether the table begins with the columns of its only input."""
        made = (self.sql, self.function, self.changes, self.resolve)
        return bool(self.clean) and len(self.from_) == 1 and all(each is None for each in made)

    def reasons(self) -> tuple[str, ...]:
        """Return the reasons for which cleansing may send a row to quarantine."""
        return tuple(dict.fromkeys(reason for verb in self.clean for reason in verb.made().reasons()))

    def beside(self) -> tuple[str, ...]:
        """Return the tables that the table's step writes beside it: a history, what was not taken of the sources."""
        losers = self.resolve.losers if self.resolve else None
        return tuple(name for name in (self.write.history, losers) if name)

    def judged(self) -> tuple[RuleSpec, ...]:
        """Return the rules of the table: the declared ones, and those that keys and contract imply.

        Keys and columns that are not nullable are NOT NULL. Keys are unique: a merge sees to it by
        taking the newest row of a key; elsewhere a repeated key fails the step, since dropping a row
        would hide a mistake.
        """
        declared = {rule.column for rule in self.rules if rule.expectation and rule.expectation.name == NOT_NULL}
        needed = dict.fromkeys(
            [*self.never_null, *(name for name, column in self.columns.items() if not column.nullable)]
        )
        implied = [RuleSpec(column=name, expect=NOT_NULL) for name in needed if name not in declared]
        if self.keys and not self.write.by_key and not self._keys_are_checked():
            unique: dict[str, Any] = {"columns": self.keys, "expect": "unique_together"}
            if len(self.keys) == 1:
                unique = {"column": self.keys[0], "expect": "unique"}
            implied.append(RuleSpec(**unique, otherwise="fail"))
        return (*implied, *self.rules)

    @property
    def never_null(self) -> tuple[str, ...]:
        """The columns without which a row can't be told from others or put in its place: keys and sequence."""
        order = self.write.order
        placed = [order] if self.write.by_key and order and not order.startswith("_") else []
        return tuple(dict.fromkeys([*self.keys, *placed]))

    @property
    def refuses_null(self) -> tuple[str, ...]:
        """The columns in which Delta itself is to refuse NULL: those where a rule keeps every NULL out of the table."""
        lets = {
            rule.column
            for rule in self.rules
            if rule.expectation and rule.expectation.name == NOT_NULL and (rule.otherwise == "warn" or rule.at_most)
        }
        found = [*self.never_null, *(name for name, column in self.columns.items() if not column.nullable)]
        return tuple(name for name in dict.fromkeys(found) if name not in lets)

    def _keys_are_checked(self) -> bool:
        return any(
            rule.expectation is not None
            and rule.expectation.name in ("unique", "unique_together")
            and set(rule.reads()) == set(self.keys)
            for rule in self.rules
        )
