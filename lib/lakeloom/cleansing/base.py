"""What every verb is: arguments that pydantic checks, and a function from frame to frame.

A verb of one's own is a class like those beside this file: ``Config`` (a subclass of `Arguments`) and
`Verb.apply`, which most often returns `lakeloom.cleansing.edits.edited`. It must be repeatable: no
clock, no chance, no state.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from lakeloom.core.errors import CleansingError
from lakeloom.core.kinds import nearest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Level = Literal["quarantine", "null", "fail"]


def null_word(value: Any) -> Any:
    """Take YAML's ``null`` for the word that it was meant as."""
    return "null" if value is None else value


Otherwise = Annotated[Level, BeforeValidator(null_word)]
ALL = "*"


def refuse(reason: str, fix: str = "mend the verb's arguments") -> PydanticCustomError:
    """Return LL-CLEAN-001 for a validator to raise; ``check`` takes code and fix from it, the line from pydantic."""
    error = CleansingError("LL-CLEAN-001", reason, fix=fix)
    return PydanticCustomError("LL-CLEAN-001", "{reason}", {"reason": reason, "error": error})


def unfit(reason: str, fix: str = "mend the verb, or the step before it") -> CleansingError:
    """Return LL-CLEAN-002: the verb does not fit the frame."""
    return CleansingError("LL-CLEAN-002", reason, fix=fix)


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


_WRITTEN = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
Names = Annotated[tuple[str, ...], BeforeValidator(_several), _WRITTEN]
Columns = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1), _WRITTEN]


def pattern_fits(value: str) -> re.Pattern[str]:
    """Return a regular expression; raises LL-CLEAN-001 where it does not compile."""
    # Java's and Python's syntax differ in corners; what Python can't read either is a slip of the pen.
    try:
        return re.compile(value)
    except re.error as cause:
        raise refuse(f"the pattern does not compile: {cause}") from None


class Arguments(BaseModel):
    """The arguments of a verb: frozen, no unknown keys.

    Attributes
    ----------
    short : str
        The argument that a bare value stands for: ``trim: [name]`` is ``trim: {columns: [name]}``.
    table : str
        The argument that a mapping stands for which does not name it: ``fill: {country: NL}``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    short: ClassVar[str] = "columns"
    table: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _long(cls, value: Any) -> Any:
        if isinstance(value, dict):
            named = not cls.table or (set(value) == {cls.table} and isinstance(value[cls.table], dict))
            return value if named else {cls.table: value}
        if not cls.short:
            return value
        return {} if value is None else {cls.short: value}


class Verb:
    """A verb with its arguments.

    Parameters
    ----------
    config : Arguments
        An instance of the verb's own ``Config``.
    """

    Config: ClassVar[type[Arguments]] = Arguments
    name: ClassVar[str] = ""

    def __init__(self, config: Any) -> None:
        self.config = config

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the cleansed frame.

        Parameters
        ----------
        tally : str
            The platform column to add: how many rows this row stands for that the verb has changed.

        Raises
        ------
        CleansingError
            LL-CLEAN-002 where the verb does not fit the frame.
        """
        raise NotImplementedError

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return (argument, column) of each column that must be there."""
        columns = getattr(self.config, "columns", ())
        if ALL in columns:
            return ()
        one = getattr(self.config, "column", None)
        return (*(("columns", name) for name in columns), *((("column", one),) if one else ()))

    def columns(self, before: Sequence[str]) -> list[str] | None:
        """Return the names of the columns after the verb, None where they can't be told without the frame."""
        into = getattr(self.config, "into", None)
        added = [into] if isinstance(into, str) and not has(before, into) else []
        return [*before, *added]

    def reasons(self) -> tuple[str, ...]:
        """Return the reasons for which the verb may send a row to quarantine."""
        if getattr(self.config, "otherwise", None) != "quarantine":
            return ()
        return tuple(f"{self.name}:{column}" for _, column in self.reads())


def has(columns: Sequence[str], name: str) -> bool:
    """Return whether `name` is among `columns`, in whichever case."""
    return name.lower() in {column.lower() for column in columns}


def found(frame: DataFrame, name: str) -> tuple[str, str]:
    """Return a column's name as the frame spells it, and its Spark type; raises LL-CLEAN-002."""
    types = dict(frame.dtypes)
    if name in types:
        return name, types[name]
    for own, kind in types.items():
        if own.lower() == name.lower():
            return own, kind
    shown = ", ".join(own for own in types if not own.startswith("_"))
    near = nearest(name, list(types))
    raise unfit(f"column '{name}' is not there ({shown})", f"use '{near}'" if near else "name one of them")


def spelled(frame: DataFrame, name: str) -> str:
    """Return a column's name as the frame spells it, or as it is given where the frame has none."""
    return next((own for own in frame.columns if own.lower() == name.lower()), name)


def texts(frame: DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the columns that a text verb is about; ``*`` is every text column. Raises LL-CLEAN-002."""
    if ALL in columns:
        return [name for name, kind in frame.dtypes if kind == "string" and not name.startswith("_")]
    chosen = []
    for column in columns:
        name, kind = found(frame, column)
        if kind != "string":
            raise unfit(f"column '{name}' is {kind}, not text", "take it out of columns")
        chosen.append(name)
    return list(dict.fromkeys(chosen))
