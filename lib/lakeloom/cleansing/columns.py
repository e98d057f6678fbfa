"""Columns by name: rename and drop, for tables that begin with their input's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from lakeloom.cleansing.base import Arguments, Columns, Verb, found, has, refuse, unfit
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class RenameConfig(Arguments):
    """Arguments of ``rename``: old name → new name."""

    short = ""
    table = "names"
    names: dict[str, str] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> RenameConfig:
        if len({name.lower() for name in self.names.values()}) < len(self.names):
            raise refuse("two columns get one name", "name each differently")
        wrong = [name for name in self.names.values() if not name or name.startswith("_")]
        if wrong:
            raise refuse(f"'{wrong[0]}' is no name for a column: those with _ are lakeloom's own", "name it otherwise")
        return self


class Rename(Verb):
    """Give columns other names."""

    Config = RenameConfig
    name = "rename"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the new names; no row is changed by that."""
        from pyspark.sql import functions as F

        names = {found(frame, old)[0]: new for old, new in self.config.names.items()}
        rest = [name for name in frame.columns if name not in names]
        twice = [new for new in names.values() if has(rest, new)]
        if twice:
            raise unfit(f"there is a column '{twice[0]}' already", "drop it first, or choose another name")
        chosen = [F.col(quoted(name)).alias(names.get(name, name)) for name in frame.columns]
        return frame.select(*chosen, F.lit(0).cast("bigint").alias(tally))

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the columns to be renamed."""
        return tuple((name, name) for name in self.config.names)

    def columns(self, before: Sequence[str]) -> list[str]:
        """Return the columns with the new names."""
        names = {old.lower(): new for old, new in self.config.names.items()}
        return [names.get(name.lower(), name) for name in before]


class DropConfig(Arguments):
    """Arguments of ``drop``: the columns to leave out."""

    columns: Columns


class Drop(Verb):
    """Leave columns out."""

    Config = DropConfig
    name = "drop"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame without the columns; no row is changed by that."""
        from pyspark.sql import functions as F

        gone = {found(frame, name)[0] for name in self.config.columns}
        kept = [F.col(quoted(name)) for name in frame.columns if name not in gone]
        return frame.select(*kept, F.lit(0).cast("bigint").alias(tally))

    def columns(self, before: Sequence[str]) -> list[str]:
        """Return the columns that stay."""
        gone = {name.lower() for name in self.config.columns}
        return [name for name in before if name.lower() not in gone]
