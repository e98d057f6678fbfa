"""XML: an element ``row_tag`` is a record, its children and attributes are the columns.

By an XSD (``schema:``) each row is judged, by Spark's own validation. Refused: files that declare entities, or ask for
a document type of elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from lakeloom.core.names import quoted
from lakeloom.sources import scanners
from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format
from lakeloom.sources.formats.xsd import declares, why, xsd
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import CORRUPT, Group, corrupt, files, marks, numbered
from lakeloom.sources.scanners import TOO_LONG, Found, Text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class XmlScanner(Text):
    """Children and attributes of the row elements; a child that repeats within a row is marked ``[]``."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._prefix = reading.options.get("attributePrefix", "attr_")
        self._tag = reading.row_tag or ""
        self._depth = 0  # below the row element; 0 outside of rows
        self._row: dict[str, int] = {}
        self._seen: dict[str, bool] = {}
        self._rows = 0
        self._fed = self._begin = 0  # bytes given to the parser, and where the row begins
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartDoctypeDeclHandler = self._look_at

    def follow(self, chunk: bytes) -> None:
        """Nothing: lines are none of XML's records."""

    def take(self, text: str) -> None:
        """Parse the next text."""
        self._fed += len(text.encode())
        self._parse(text, final=False)
        # A name or an attribute is held until it ends.
        if self.problem is None and self._fed - self._parser.CurrentByteIndex > scanners.LONGEST_RECORD_BYTES:
            self.problem = TOO_LONG

    def _parse(self, text: str, *, final: bool) -> None:
        try:
            self._parser.Parse(text.encode(), final)
        except expat.ExpatError as cause:
            self.problem = self.problem or f"the XML is not well-formed (line {cause.lineno})"

    def _refuse(self, *declared: object) -> None:
        del declared
        self.problem = self.problem or "it declares entities, which are refused"

    def _look_at(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        del name, public, internal
        if system is not None:
            self.problem = self.problem or "it asks for a document type of elsewhere, which is refused"

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._depth == 0:
            if tag != self._tag:
                return
            self._rows += 1
            self._begin = self._parser.CurrentByteIndex
            self._row = {self._prefix + name: 1 for name in attributes}
        elif self._depth == 1:
            self._row[tag] = self._row.get(tag, 0) + 1
        self._depth += 1

    def _end(self, tag: str) -> None:
        if self._depth == 0:
            return
        self._depth -= 1
        if self._depth == 0:
            if self._parser.CurrentByteIndex - self._begin > scanners.LONGEST_RECORD_BYTES:
                self.problem = self.problem or TOO_LONG
            for name, times in self._row.items():
                self._seen[name] = self._seen.get(name, False) or times > 1

    def found(self) -> Found:
        """Return the fields."""
        self._parse("", final=True)
        if self.problem is None and not self._rows:
            self.problem = f"there is no <{self._tag}> element"
        if self.problem is not None:
            return None, self.problem
        return tuple(name + ("[]" if repeats else "") for name, repeats in self._seen.items()), None


class Xml(Format):
    """The format ``xml``."""

    options = frozenset(["attributePrefix"])
    needs = ("row_tag",)
    takes = ("schema",)
    names_in_records = True
    scanner = XmlScanner

    @classmethod
    def extra_of(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """Return what an XSD needs, where there is one."""
        return {"formats": "schema"} if options.get("schema") else {}

    @classmethod
    def field(cls, header: str) -> str:
        """Return the column's name without the mark of what repeats."""
        return header.removesuffix("[]")

    @classmethod
    def check_schema(cls, reading: Reading) -> None:
        """It is an XSD that declares the element of a row by itself, since each row is looked at alone."""
        declares(xsd(reading), reading.row_tag or "")

    @classmethod
    def read(cls, spark: SparkSession, group: Group, reading: Reading, types: Mapping[str, str]) -> DataFrame:
        """Return a record an element, its values as text, lists of text where a child repeats."""
        from pyspark.sql import functions as F

        lists = {name for name, kind in types.items() if kind.lower().startswith("array<")}
        fields = {cls.field(name): name.endswith("[]") or name in lists for name in group.header}
        schema = ", ".join(
            f"{quoted(name)} {'array<string>' if repeats else 'string'}" for name, repeats in fields.items()
        )
        options = {"rowTag": reading.row_tag, "attributePrefix": "attr_", "columnNameOfCorruptRecord": CORRUPT}
        if reading.schema:
            options["rowValidationXSDPath"] = reading.schema_path
        rows = files(spark, "xml", group.paths, schema=f"{schema}, {CORRUPT} string", **(options | reading.options))
        placed = numbered(rows, *[F.col(quoted(name)) for name in [*fields, CORRUPT]])
        values = [F.col(quoted(name)).alias(stored_name(name)) for name in fields]
        first = F.col(quoted(next(iter(fields)))).cast("string") if fields else F.lit("")
        reason = corrupt(first, "malformed xml record")
        if reading.schema:
            reason = F.when(reason.isNotNull(), why(reading)(F.col(CORRUPT)))
        return placed.select(*values, *marks(F.col(CORRUPT), reason))
