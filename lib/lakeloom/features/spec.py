"""Feature views as the config declares them: columns with keys, event time and availability time.

A view says when a fact happened (`event_time`) and from when on it was known (`available_at`). The
second is mandatory: without it nothing keeps the future out of a model, and the error is
LL-FEATURE-001. An event is *visible* from the later of the two on.

Column names that a view gives, behind ``<view>__`` (or the prefix of the dataset's use):

========================  ======================================================
``<column>``              ``last``: the value in the newest visible event
``age_minutes``           ``age: true``: minutes since that event's event time
``<column>_<agg>_<w>``    a window's aggregate, such as ``dep_delay_mean_24h``
========================  ======================================================
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import TableName, is_identifier
from lakeloom.tables.words import DurationText as DurationText

Aggregate = Literal["last", "mean", "count", "sum", "min", "max", "share", "std"]
AGE = "age_minutes"


def _table(value: str) -> str:
    try:
        return str(TableName.parse(value))
    except LakeloomError as wrong:
        raise ValueError(wrong.message) from None


def _identifier(value: str) -> str:
    if not is_identifier(value) or value.startswith("_"):
        raise ValueError(f"'{value}' is not a name: letters, digits and underscores, not beginning with '_' or a digit")
    return value


TableText = Annotated[str, Field(json_schema_extra={"examples": ["silver.flights"]}), AfterValidator(_table)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Sql = Annotated[str, Field(min_length=1)]


class ViewColumn(BaseModel):
    """A column of a view: which value, and what is taken of it.

    Attributes
    ----------
    expr : str, optional
        SQL over the view's table; the column of the same name where it is absent.
    of : tuple of str
        ``last`` and/or window aggregates. ``share`` is the mean of a 0/1 or boolean column.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    expr: Sql | None = None
    of: tuple[Aggregate, ...] = Field(min_length=1)


def _spell_out(value: Any) -> Any:
    """Turn ``last`` and ``[mean, count]`` into ``{of: [...]}``, also inside a mapping."""
    if isinstance(value, str):
        return {"of": [value]}
    if isinstance(value, list | tuple):
        return {"of": list(value)}
    if isinstance(value, dict) and isinstance(value.get("of"), str):
        return value | {"of": [value["of"]]}
    return value


_Column = Annotated[
    ViewColumn,
    BeforeValidator(_spell_out, json_schema_input_type=Aggregate | list[Aggregate] | ViewColumn),
]


@dataclass(frozen=True)
class Output:
    """One column that a view gives: `suffix` is its name behind ``<prefix>__``."""

    suffix: str
    column: str
    aggregate: str
    window_us: int = 0


class FeatureView(BaseModel):
    """What is known about an entity over time.

    Attributes
    ----------
    source : str
        The table (``from`` in the config), ``layer.name``.
    keys : tuple of str
        The entity's key columns in that table.
    event_time, available_at : str
        SQL over the table, both of type TIMESTAMP: when it happened, and from when on it was known.
    where : str, optional
        SQL; rows where it is not true are no events.
    ttl : Duration, optional
        ``last`` and the age are NULL once the newest event is older than this, by event time.
    windows : tuple of Duration
        Aggregates are taken over events with an event time in ``(as_of - window, as_of]``.
    columns : mapping
        Name to ``last``, a list of aggregates, or ``{expr: SQL, of: …}``.
    age : bool
        Whether ``age_minutes`` is given too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: TableText = Field(alias="from")
    keys: tuple[Identifier, ...] = Field(min_length=1)
    event_time: Sql
    available_at: Sql
    where: Sql | None = None
    ttl: DurationText | None = None
    windows: tuple[DurationText, ...] = ()
    columns: dict[Identifier, _Column] = Field(min_length=1)
    age: bool = False
    owner: str = ""
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _knows_when(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and not raw.get("available_at"):
            raise PydanticCustomError(
                "LL-FEATURE-001",
                "available_at is missing: say from when on a row was known, as SQL over its table",
            )
        return raw

    @model_validator(mode="after")
    def _fits(self) -> FeatureView:
        windowed = [name for name, column in self.columns.items() if set(column.of) - {"last"}]
        if windowed and not self.windows:
            raise ValueError(f"{', '.join(windowed)}: an aggregate needs windows, such as windows: [1 hour]")
        if self.windows and not windowed:
            raise ValueError("windows are given, but every column is 'last'")
        doubly = [key for key in self.keys if key in self.columns]
        if doubly:
            raise ValueError(f"{', '.join(doubly)}: a key says whose the event is and can't be a column of it too")
        for what, names in (
            ("keys", list(self.keys)),
            ("windows", [window.seconds for window in self.windows]),
            ("outputs", [output.suffix for output in self.outputs()]),
        ):
            twice = [str(name) for name, times in Counter(names).items() if times > 1]
            if twice:
                raise ValueError(f"{what}: {', '.join(twice)} stands there twice")
        return self

    def outputs(self) -> tuple[Output, ...]:
        """Return the columns that this view gives, in order: by column, aggregate and window, the age last."""
        given = []
        for name, column in self.columns.items():
            for aggregate in column.of:
                if aggregate == "last":
                    given.append(Output(name, name, "last"))
                    continue
                given += [
                    Output(f"{name}_{aggregate}_{window.compact}", name, aggregate, window.microseconds)
                    for window in self.windows
                ]
        if self.age:
            given.append(Output(AGE, "", "age"))
        return tuple(given)

    def select(self, wanted: tuple[str, ...]) -> tuple[Output, ...]:
        """Return the outputs that `wanted` names by declared column or by suffix; all where it is empty.

        Raises
        ------
        KeyError
            With the first name that is neither.
        """
        outputs = self.outputs()
        for name in wanted:
            if not any(name in (output.suffix, output.column) for output in outputs):
                raise KeyError(name)
        return tuple(one for one in outputs if not wanted or one.suffix in wanted or one.column in wanted)
