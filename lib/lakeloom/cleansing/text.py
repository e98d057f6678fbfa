"""Text: white space and case."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lakeloom.cleansing.base import ALL, Arguments, Columns, Verb, texts
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Unicode's White_Space, and what is as invisible: zero-width space, word joiner, byte order mark.
SPACES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\u2060\ufeff"
)


class TextVerb(Verb):
    """A verb that gives each of several text columns a new text."""

    Config: ClassVar[type[Arguments]]

    def value(self, column: Column) -> Column:
        """Return the new text."""
        raise NotImplementedError

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the texts changed."""
        from pyspark.sql import functions as F

        chosen = texts(frame, self.config.columns)
        return edited(frame, [Edit(name, self.value(F.col(quoted(name)))) for name in chosen], tally)


class TrimConfig(Arguments):
    """Arguments of ``trim``.

    Attributes
    ----------
    columns : tuple of str
        Text columns; all of them where absent.
    inside : bool
        Whether white space inside the text becomes one plain space, however much there is.
    """

    columns: Columns = (ALL,)
    inside: bool = False


class Trim(TextVerb):
    """Take white space off both ends: Unicode's, no-break and zero-width spaces among it."""

    Config = TrimConfig
    name = "trim"

    def value(self, column: Column) -> Column:
        """Return the text without white space at its ends."""
        from pyspark.sql import functions as F

        if self.config.inside:
            column = F.regexp_replace(column, f"[{SPACES}]+", " ")
        return F.btrim(column, F.lit(SPACES))


class CaseConfig(Arguments):
    """Arguments of ``lower``, ``upper`` and ``title``."""

    columns: Columns


class Lower(TextVerb):
    """Lower case, by Unicode's rules for no language in particular."""

    Config = CaseConfig
    name = "lower"

    def value(self, column: Column) -> Column:
        """Return the text in lower case."""
        from pyspark.sql import functions as F

        return F.lower(column)


class Upper(TextVerb):
    """Upper case, by Unicode's rules for no language in particular."""

    Config = CaseConfig
    name = "upper"

    def value(self, column: Column) -> Column:
        """Return the text in upper case."""
        from pyspark.sql import functions as F

        return F.upper(column)


class Title(TextVerb):
    """Each word, as spaces part them, with a capital first and the rest in lower case."""

    Config = CaseConfig
    name = "title"

    def value(self, column: Column) -> Column:
        """Return the text in title case."""
        from pyspark.sql import functions as F

        return F.initcap(column)
