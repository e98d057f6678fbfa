"""CSV: by lines, or by blocks where quotes may hold line ends; the names stand in the first line or are declared."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.sources import scanners
from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.separated import Plainness
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import CORRUPT, Group, corrupt, files, lines, marks, numbered
from lakeloom.sources.scanners import TOO_LONG, Found, Text, ends

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LONGEST_HEADER = 1 << 20
_MODE = {"escape": '"', "mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}


class CsvScanner(Text):
    """The first line's names, or the declared ones where the files have no header."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._line = ""
        self._done = False
        self._quoted = False  # whether a quote is open; of records of many lines
        quote = reading.options.get("quote", '"').encode()
        escape = reading.options.get("escape", '"').encode()
        self._quote = quote
        self._pairs = re.compile(re.escape(quote) + b"[^" + re.escape(quote) + b"]*" + re.escape(quote))
        self._escaped = None if escape == quote else re.compile(re.escape(escape) + b".", re.DOTALL)
        self._plainness = Plainness(reading)

    @property
    def plain(self) -> bool:
        """Whether ends of lines and separators alone tell the file's values, as many in each record."""
        return self._plainness.holds() and self._plainness.columns == len(self.found()[0] or ())

    def follow(self, chunk: bytes) -> None:
        """Look that records end: where lines do, but for those inside of quotes that may hold them."""
        self._plainness.feed(chunk)
        if self.reading.options.get("multiLine") != "true":
            super().follow(chunk)
            return
        bare = self._escaped.sub(b"", chunk) if self._escaped is not None else chunk
        bare = self._pairs.sub(b"", self._quote + bare if self._quoted else bare)
        outside, quote, _ = bare.partition(self._quote)
        self._quoted = bool(quote)
        self._run = 0 if ends(outside)[0] >= 0 else self._run + len(chunk)
        if self._run > scanners.LONGEST_RECORD_BYTES:
            self.problem = TOO_LONG

    def take(self, text: str) -> None:
        """Keep text up to the end of the first line."""
        if self._done:
            return
        self._line += text
        ends = [at for at in (self._line.find("\n"), self._line.find("\r")) if at >= 0]
        if ends:
            self._line, self._done = self._line[: min(ends)], True
        elif len(self._line) > _LONGEST_HEADER:
            self._line, self._done = "", True

    def found(self) -> Found:
        """Return the header."""
        options = self.reading.options
        if options.get("header", "true") == "false":
            return self.reading.names, None
        if not self._line.strip():
            return None, "the first line is no header"
        rows = list(csv.reader([self._line], delimiter=options.get("sep", ","), quotechar=options.get("quote", '"')))
        return tuple(name.strip() for name in rows[0]), None


class Csv(Format):
    """The format ``csv``."""

    in_place = True
    options = frozenset(
        [
            "sep", "quote", "escape", "header", "multiLine", "comment", "ignoreLeadingWhiteSpace",
            "ignoreTrailingWhiteSpace",
        ]
    )  # fmt: skip
    one_character = ("sep", "quote", "escape", "comment")
    encoded = True
    header_line = True
    scanner = CsvScanner

    @classmethod
    def check(cls, config: Any) -> None:
        """Without a header the columns must be declared."""
        if config.reading.options.get("header") == "false" and not config.columns:
            raise ValueError("without a header the columns must be declared, in their order")

    @classmethod
    def names(cls, config: Any) -> tuple[str, ...]:
        """Return the declared columns in order."""
        return tuple(config.columns)

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return a record a line, or what its quotes hold."""
        del types
        many_lines = reading.options.get("multiLine", "false") == "true"
        return (_blocks if many_lines else _lines)(spark, group, reading)


def _lines(spark: SparkSession, group: Group, reading: Reading) -> DataFrame:
    from pyspark.sql import functions as F

    schema = ", ".join([f"c{index} string" for index in range(len(group.header))] + [f"{CORRUPT} string"])
    options = {key: value for key, value in reading.options.items() if key != "header"}
    parsed = F.from_csv(F.col("value"), schema, _MODE | options).alias("parsed")
    rows = lines(spark, group, parsed)
    if reading.options.get("header", "true") != "false":
        rows = rows.where("NOT (_start = 0 AND _index = 0)")
    if "comment" in reading.options:
        rows = rows.where(~F.col("value").startswith(reading.options["comment"]))
    values = [F.col(f"parsed.c{index}").alias(stored_name(name)) for index, name in enumerate(group.header)]
    broken = F.when(F.col(f"parsed.{CORRUPT}").isNotNull(), F.lit("malformed csv record"))
    return rows.select(*values, *marks(F.col("value"), broken))


def _blocks(spark: SparkSession, group: Group, reading: Reading) -> DataFrame:
    from pyspark.sql import functions as F

    names = [f"c{index}" for index in range(len(group.header))]
    schema = ", ".join(f"{name} string" for name in [*names, CORRUPT])
    blocks = files(spark, "csv", group.paths, schema=schema, **(_MODE | {"header": "true"} | reading.options))
    rows = numbered(blocks, *[F.col(name) for name in [*names, CORRUPT]])
    values = [F.col(name).alias(stored_name(as_named)) for name, as_named in zip(names, group.header, strict=True)]
    return rows.select(*values, *marks(F.col(CORRUPT), corrupt(F.col(names[0]), "malformed csv record")))
