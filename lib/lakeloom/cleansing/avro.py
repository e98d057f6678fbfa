"""Avro: binary columns to nested columns by a given schema.

Decoded by `lakeloom.cleansing.datum` in Spark's Python workers, without a package or jar of its own:
Spark's ``from_avro`` lives in a jar that is none of its distribution's, one for each of its releases, and
turns what is malformed into NULL. The cost is a trip through Python.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from lakeloom.cleansing.base import Arguments, Otherwise, Verb, found, refuse, spelled, unfit
from lakeloom.cleansing.datum import MALFORMED, Read, compiled, decoded
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Header = Literal["none", "confluent", "single_object"]
# What stands before a datum: its first bytes, and how many there are.
_HEADERS: dict[str, tuple[bytes, int]] = {
    "none": (b"", 0),
    "confluent": (b"\x00", 5),
    "single_object": (b"\xc3\x01", 10),
}


def _schema(value: Any) -> Any:
    try:
        schema = json.loads(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"') else value
        compiled(schema)
    except (ValueError, KeyError, TypeError) as cause:
        raise refuse(f"the Avro schema is wrong: {cause}", "write Avro's schema, as YAML or as JSON text") from None
    return schema


class FromAvroConfig(Arguments):
    """Arguments of ``from_avro``.

    Attributes
    ----------
    column : str
        A binary column; each value is one datum.
    schema : mapping, list or str
        The schema that it was written by, in YAML or as JSON text.
    header : {'none', 'confluent', 'single_object'}
        What stands before the datum: nothing, a registry's five bytes, or Avro's own ten. The schema's number
        in it is passed over.
    into : str, optional
        The column that gets the value; the binary one where absent.
    otherwise : {'quarantine', 'null', 'fail'}
        What becomes of bytes that are no datum of the schema.
    """

    short = ""
    column: str
    schema_: Annotated[dict[str, Any] | list[Any] | str, AfterValidator(_schema)] = Field(alias="schema")
    header: Header = "none"
    into: str | None = None
    otherwise: Otherwise = "quarantine"


class FromAvro(Verb):
    """Read Avro by a schema."""

    Config = FromAvroConfig
    name = "from_avro"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the value in its column."""
        from pyspark.sql import functions as F

        config: FromAvroConfig = self.config
        name, kind = found(frame, config.column)
        if kind != "binary":
            raise unfit(f"column '{name}' is {kind}, not binary", "name the column that holds Avro")
        text, header = json.dumps(config.schema_), config.header
        of, _ = compiled(config.schema_)

        def read(data: Any) -> Any:
            return None if data is None else value_of(bytes(data), text, header)

        column = F.col(quoted(name))
        # A column of its own, so that Python is asked once for value and fault.
        wide = frame.withColumn(_READ, F.udf(read, f"struct<v:{of},sound:boolean>")(column))
        fault = column.isNotNull() & ~F.coalesce(F.col(f"{_READ}.sound"), F.lit(False))
        into = spelled(frame, config.into or name)
        edit = Edit(into, F.col(f"{_READ}.v"), fault, f"{self.name}:{config.column}", name, config.otherwise)
        return edited(wide, [edit], tally).drop(_READ)


_READ = "_avro_read"


def value_of(data: bytes, schema: str, header: str) -> tuple[Any, bool]:
    """Return a datum's value and True, or NULL and False where the bytes are none."""
    start, size = _HEADERS[header]
    if len(data) < size or not data.startswith(start):
        return None, False
    try:
        return decoded(data, _reader(schema), size), True
    except MALFORMED:
        return None, False


@lru_cache(maxsize=64)
def _reader(schema: str) -> Read:
    return compiled(json.loads(schema))[1]
