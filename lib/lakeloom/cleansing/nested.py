"""Nested data: structs to columns, arrays and maps to rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from pydantic import Field

from lakeloom.cleansing.base import Arguments, Columns, Verb, found, has, spelled, unfit
from lakeloom.core.names import quoted
from lakeloom.quality.judged import CHANGED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructType

_POSITION, _ITEM, _KEY, _VALUE = "_explode_position", "_explode_item", "_explode_key", "_explode_value"


class FlattenConfig(Arguments):
    """Arguments of ``flatten``.

    Attributes
    ----------
    columns : tuple of str
        Columns that are structs; each of their fields becomes a column ``<column><separator><field>``.
    separator : str
    depth : int, optional
        How many levels of structs are opened; all where absent.
    """

    columns: Columns
    separator: str = "_"
    depth: int | None = Field(default=None, ge=1)


class Flatten(Verb):
    """Turn the fields of structs into columns; a struct that is NULL gives NULL."""

    Config = FlattenConfig
    name = "flatten"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the fields in the place of their structs."""
        from pyspark.sql import functions as F
        from pyspark.sql.types import StructType

        names = [found(frame, name)[0] for name in self.config.columns]
        chosen: list[Column] = []
        made: list[str] = []
        for field in frame.schema.fields:
            column = F.col(quoted(field.name))
            if field.name not in names:
                chosen.append(column)
                made.append(field.name)
                continue
            if not isinstance(field.dataType, StructType):
                raise unfit(
                    f"column '{field.name}' is {field.dataType.simpleString()}, no struct", "take it out of columns"
                )
            for name, value in self._opened(column, field.name, field.dataType, 1):
                chosen.append(value.alias(name))
                made.append(name)
        twice = next((name for index, name in enumerate(made) if has(made[:index], name)), None)
        if twice:
            raise unfit(f"two columns would be called '{twice}'", "rename one of them, or take another separator")
        none: Column = F.lit(False)
        opened = reduce(lambda left, name: left | F.col(quoted(name)).isNotNull(), names, none)
        return frame.select(*chosen, opened.cast("bigint").alias(tally))

    def columns(self, before: Sequence[str]) -> None:
        """Return None: the fields are known by the frame only."""

    def _opened(self, column: Column, name: str, kind: StructType, level: int) -> list[tuple[str, Column]]:
        from pyspark.sql.types import StructType

        parts: list[tuple[str, Column]] = []
        for field in kind.fields:
            value, own = column.getField(field.name), f"{name}{self.config.separator}{field.name}"
            if isinstance(field.dataType, StructType) and level != self.config.depth:
                parts += self._opened(value, own, field.dataType, level + 1)
            else:
                parts.append((own, value))
        return parts


class ExplodeConfig(Arguments):
    """Arguments of ``explode``.

    Attributes
    ----------
    column : str
        An array or a map.
    into : str, optional
        The column that gets an item, or a map's value; the array's own where absent.
    key : str, optional
        The column that gets a map's key; ``<column>_key`` where absent.
    position : str, optional
        A column for an item's number, from 0.
    """

    short = "column"
    column: str
    into: str | None = None
    key: str | None = None
    position: str | None = None


class Explode(Verb):
    """Make a row of each item. A row without items stays, with NULL; the first item counts the rows added."""

    Config = ExplodeConfig
    name = "explode"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with a row for each item."""
        from pyspark.sql import functions as F

        config: ExplodeConfig = self.config
        name, kind = found(frame, config.column)
        column = F.col(quoted(name))
        is_map = kind.startswith("map<")
        if not is_map and not kind.startswith("array<"):
            raise unfit(f"column '{name}' is {kind}, neither array nor map", "explode another column")
        made = [_POSITION, *((_KEY, _VALUE) if is_map else (_ITEM,))]
        size = F.greatest(F.coalesce(F.size(column), F.lit(0)) - 1, F.lit(0)).cast("bigint")
        rows = frame.select("*", size.alias(tally), F.posexplode_outer(column).alias(*made))
        first = F.coalesce(F.col(_POSITION) == 0, F.lit(True))
        own = {
            each: F.when(first, F.col(quoted(each))).otherwise(F.lit(0)).alias(each)
            for each in rows.columns
            if each.startswith(CHANGED)
        }
        into = spelled(frame, config.into or name)
        new = {into: F.col(_VALUE if is_map else _ITEM).alias(into)}
        if is_map:
            key = spelled(frame, config.key or f"{name}_key")
            new[key] = F.col(_KEY).alias(key)
        if config.position:
            position = spelled(frame, config.position)
            new[position] = F.col(_POSITION).alias(position)
        kept = [own.get(each) if each in own else new.pop(each, F.col(quoted(each))) for each in frame.columns]
        return rows.select(*kept, *new.values(), own[tally])

    def columns(self, before: Sequence[str]) -> list[str] | None:
        """Return the columns with the new ones; of a map's key only what the config says is known."""
        if self.config.key is None:
            return None
        names = [name for name in (self.config.into, self.config.key, self.config.position) if name]
        return [*before, *(name for name in names if not has(before, name))]
