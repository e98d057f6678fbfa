"""Regular expressions: replacing what matches, taking parts of a text into columns.

Patterns are Java's; one that Python can't compile either is refused by ``check``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import model_validator

from lakeloom.cleansing.base import Arguments, Columns, Otherwise, Verb, has, pattern_fits, refuse, spelled, texts
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.cleansing.text import TextVerb
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class ReplaceConfig(Arguments):
    r"""Arguments of ``replace``.

    Attributes
    ----------
    columns : tuple of str
    pattern : str
        A regular expression, found anywhere in the text unless anchored.
    by : str
        What each match becomes; ``$1`` is the first group, ``\$`` a dollar sign.
    """

    columns: Columns
    pattern: str
    by: str = ""

    @model_validator(mode="after")
    def _fits(self) -> ReplaceConfig:
        groups = pattern_fits(self.pattern).groups
        # As Java reads it: a backslash takes the next character's meaning away, a dollar begins a group's number.
        rest = re.sub(r"\\.", "", self.by, flags=re.DOTALL)
        if rest.endswith("\\") or re.search(r"\$(?!\d)", rest):
            raise refuse("'by' ends in a backslash, or has a $ without a group's number", "write \\\\ or \\$")
        # Java takes further digits into the number only while there is such a group: the first one decides.
        missing = [number for number in re.findall(r"\$(\d)", rest) if int(number) > groups]
        if missing:
            raise refuse(f"'by' names group {missing[0]}; the pattern has {groups}")
        return self


class Replace(TextVerb):
    """Replace every match of a pattern."""

    Config = ReplaceConfig
    name = "replace"

    def value(self, column: Column) -> Column:
        """Return the text with its matches replaced."""
        from pyspark.sql import functions as F

        return F.regexp_replace(column, F.lit(self.config.pattern), F.lit(self.config.by))


class ExtractConfig(Arguments):
    """Arguments of ``extract``.

    Attributes
    ----------
    column : str
    pattern : str
        A regular expression with one group for each new column.
    into : tuple of str
        The columns that get what the groups found, in order; one that found nothing gives NULL.
    otherwise : {'quarantine', 'null', 'fail'}
        What becomes of a text that the pattern does not match.
    """

    short = ""
    column: str
    pattern: str
    into: Columns
    otherwise: Otherwise = "quarantine"

    @model_validator(mode="after")
    def _fits(self) -> ExtractConfig:
        groups = pattern_fits(self.pattern).groups
        if groups != len(self.into):
            raise refuse(
                f"the pattern has {groups} groups, 'into' {len(self.into)} columns", "write one group for each"
            )
        if len({name.lower() for name in self.into}) < len(self.into):
            raise refuse("'into' names a column twice", "name each once")
        return self


class Extract(Verb):
    """Take the groups of a pattern into columns of their own."""

    Config = ExtractConfig
    name = "extract"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the groups' columns."""
        from pyspark.sql import functions as F

        (name,) = texts(frame, [self.config.column])
        text, pattern = F.col(quoted(name)), F.lit(self.config.pattern)
        fault = F.coalesce(~F.rlike(text, pattern), F.lit(False))
        edits = []
        for number, into in enumerate(self.config.into, 1):
            part = F.when(text.isNull() | fault, F.lit(None)).otherwise(_group(text, self.config.pattern, number))
            first = number == 1
            edits.append(
                Edit(spelled(frame, into), part, fault if first else None, f"{self.name}:{self.config.column}",
                     name, self.config.otherwise)
            )  # fmt: skip
        return edited(frame, edits, tally)

    def columns(self, before: Sequence[str]) -> list[str]:
        """Return the columns with the groups'."""
        return [*before, *(name for name in self.config.into if not has(before, name))]


def _group(text: Column, pattern: str, number: int) -> Column:
    """Return what a group found; Spark gives an empty text for one that found nothing."""
    from pyspark.sql import functions as F

    return F.nullif(F.regexp_extract(text, pattern, number), F.lit(""))
