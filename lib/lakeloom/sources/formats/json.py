"""JSON lines: an object a line; the columns are the keys of all objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import Group, lines, marks
from lakeloom.sources.scanners import Found, Text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


# Spark takes a number with a fraction or an exponent for a double. One with more digits than that holds, or beyond its
# range, would come as another number: it is looked for outside of strings, in lines that may have one.
_MAY_BE_LONG = r"[0-9.]{19}|[0-9][eE][+-]?[0-9]{3}"
_STRINGS = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LONG = r"(?<![0-9.])(?:[1-9](?=[0-9]*[.])[0-9.]{18,}|0[.]0*[1-9][0-9]{17,})|[0-9][eE][+-]?(?:[3-9][0-9]{2}|[0-9]{4,})"


class JsonScanner(Text):
    """The keys of all objects, in the order in which they are first seen."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._rest: list[str] = []
        self._keys: dict[str, None] = {}
        self._objects = 0

    def take(self, text: str) -> None:
        """Look at the lines that end in `text`."""
        found = text.replace("\r", "\n").split("\n")
        if len(found) > 1:
            self._look("".join([*self._rest, found[0]]))
            for line in found[1:-1]:
                self._look(line)
            self._rest = []
        self._rest.append(found[-1])

    def _look(self, line: str) -> None:
        if not line.strip():
            return
        try:
            value: Any = json.loads(line)
        except (ValueError, RecursionError):
            return  # a malformed record: the reader sends it to quarantine
        if isinstance(value, dict):
            self._objects += 1
            self._keys.update(dict.fromkeys(value))

    def found(self) -> Found:
        """Return the keys."""
        self._look("".join(self._rest))
        if not self._objects:
            return None, "no line is a JSON object"
        return tuple(self._keys), None


class Json(Format):
    """The format ``json``."""

    in_place = True
    encoded = True
    names_in_records = True
    scanner = JsonScanner

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return a record a line, its values as text."""
        from pyspark.sql import functions as F

        del reading, types
        # As the one element of an array, since alone Spark takes the first of several values in a line.
        schema = "array<struct<" + ", ".join(f"{quoted(name)}: string" for name in group.header) + ">>"
        options = {"allowSingleQuotes": "false", "mode": "PERMISSIVE"}
        value = F.concat(F.lit("["), F.ltrim(F.rtrim("value")), F.lit("]"))
        rows = lines(spark, group, F.from_json(value, schema, options).alias("parsed"))
        only = F.get("parsed", F.lit(0))
        values = [only.getField(name).alias(stored_name(name)) for name in group.header]
        sound = F.coalesce((F.size("parsed") == 1) & only.isNotNull(), F.lit(False))
        long = F.col("value").rlike(_MAY_BE_LONG) & F.regexp_replace("value", _STRINGS, "").rlike(_LONG)
        reason = F.when(~sound, F.lit("malformed json record")).when(
            long, F.lit("a number has more digits than are kept; write it as a string")
        )
        return rows.select(*values, *marks(F.col("value"), reason))
