"""Avro: binary columns to nested columns by a given schema, and back.

Decoded by `lakeloom.cleansing.datum` and encoded by `lakeloom.cleansing.encoding` in Spark's Python workers,
without a package or jar of its own: Spark's ``from_avro`` lives in a jar that is none of its distribution's,
one for each of its releases, and turns what is malformed into NULL. The cost is a trip through Python.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from lakeloom.cleansing.base import Arguments, Columns, Otherwise, Verb, found, refuse, spelled, unfit
from lakeloom.cleansing.datum import MALFORMED, Read, compiled, decoded
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.cleansing.encoding import UNFIT, Write, encoder
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

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


class ToAvroConfig(Arguments):
    """Arguments of ``to_avro``.

    Attributes
    ----------
    columns : tuple of str
        One column, or several that become the fields of one record.
    schema : mapping, list or str
        The schema to write by, in YAML or as JSON text; a record's fields are the columns' by their names.
    header : {'none', 'confluent'}
        What stands before the datum: nothing, or a registry's five bytes with the number `id`.
    into : str, optional
        The column that gets the bytes; that of a single column where absent.
    otherwise : {'quarantine', 'null', 'fail'}
        What becomes of a value that the schema has no bytes for.
    """

    short = ""
    columns: Columns
    schema_: Annotated[dict[str, Any] | list[Any] | str, AfterValidator(_schema)] = Field(alias="schema")
    header: Literal["none", "confluent"] = "none"
    id: int | None = Field(default=None, ge=0, lt=2**32)
    into: str | None = None
    otherwise: Otherwise = "quarantine"

    @model_validator(mode="after")
    def _fits(self) -> ToAvroConfig:
        if self.into is None and len(self.columns) > 1:
            raise refuse("'into' is missing: several columns become one", "add into:")
        if (self.header == "confluent") != (self.id is not None):
            raise refuse("'header: confluent' and 'id', the schema's number in the registry, go together")
        return self


class ToAvro(Verb):
    """Write Avro by a schema; NULL in all of the columns stays NULL where the schema has no null."""

    Config = ToAvroConfig
    name = "to_avro"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the bytes in their column."""
        from pyspark.sql import functions as F

        config: ToAvroConfig = self.config
        names = [found(frame, name)[0] for name in config.columns]
        columns = [F.col(quoted(name)) for name in names]
        value = columns[0] if len(names) == 1 else F.struct(*columns)
        of, _ = encoder(config.schema_)
        problem = _lacking(frame.select(value.alias("v")).schema["v"].dataType, _type_of(of))
        if problem:
            raise unfit(
                f"the Avro schema does not fit {', '.join(names)}: {problem}", "mend the schema, or cast before"
            )
        text, start = json.dumps(config.schema_), b""
        if config.id is not None:
            start = _HEADERS["confluent"][0] + config.id.to_bytes(4, "big")

        def write(data: Any) -> Any:
            return None if data is None else bytes_of(data, text, start)

        wide = frame.withColumn(_READ, F.udf(write, "struct<v:binary,sound:boolean>")(value))
        fault = value.isNotNull() & ~F.coalesce(F.col(f"{_READ}.sound"), F.lit(False))
        into = spelled(frame, config.into or names[0])
        reason = f"{self.name}:{into}"
        source = names[0] if len(names) == 1 else None
        edit = Edit(into, F.col(f"{_READ}.v"), fault, reason, source, config.otherwise)
        return edited(wide, [edit], tally).drop(_READ)

    def reasons(self) -> tuple[str, ...]:
        """Return the one reason for which a row may go to quarantine."""
        config: ToAvroConfig = self.config
        return (f"{self.name}:{config.into or config.columns[0]}",) if config.otherwise == "quarantine" else ()


def bytes_of(value: Any, schema: str, start: bytes) -> tuple[bytes | None, bool]:
    """Return a value's datum behind `start` and True, or None and False where the schema has no bytes for it."""
    try:
        return start + _writer(schema)(value), True
    except UNFIT:
        return None, False


@lru_cache(maxsize=64)
def _writer(schema: str) -> Write:
    return encoder(json.loads(schema))[1]


# What Python's whole numbers and fractions stand for: a smaller one is written as a larger one.
_WIDER = {"tinyint": "int", "smallint": "int", "int": "bigint", "float": "double"}


def _type_of(text: str) -> DataType:
    from pyspark.sql.types import _parse_datatype_string

    return _parse_datatype_string(text)


def _lacking(there: DataType, wanted: DataType) -> str:
    """Return where a column's type can't be written as the schema's, empty where it can."""
    from pyspark.sql.types import ArrayType, MapType, StructType

    if isinstance(there, ArrayType) and isinstance(wanted, ArrayType):
        return _lacking(there.elementType, wanted.elementType)
    if isinstance(there, MapType) and isinstance(wanted, MapType):
        return _lacking(there.keyType, wanted.keyType) or _lacking(there.valueType, wanted.valueType)
    if isinstance(there, StructType) and isinstance(wanted, StructType):
        if set(there.names) != set(wanted.names):
            odd = sorted(set(there.names) ^ set(wanted.names))
            return f"only one of the two has {', '.join(odd)}"
        fields = ((name, _lacking(there[name].dataType, wanted[name].dataType)) for name in wanted.names)
        return next((f"{name}: {problem}" for name, problem in fields if problem), "")
    kind, want = there.simpleString(), wanted.simpleString()
    step = kind
    while step != want and step in _WIDER:
        step = _WIDER[step]
    same = step == want or (kind.startswith("decimal(") and want.startswith("decimal("))
    return "" if same else f"{kind} is no {want}"
