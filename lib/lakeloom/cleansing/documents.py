"""JSON: texts to nested columns by a given schema, and back.

A text is malformed where it is no JSON, has something behind its document, or a value that is not of
its field's type: none of that becomes NULL in silence. JSON's ``null`` is NULL. Decimals are rounded to
their scale, as Spark does. Keys that the schema does not know are left out, or kept by ``rescue``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from lakeloom.cleansing.base import Arguments, Columns, Otherwise, Verb, found, has, refuse, spelled, texts
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.cleansing.json_texts import texts_of
from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_CORRUPT = "_lakeloom_corrupt"
# A timestamp without zone is UTC, whatever the session's zone is.
_UTC = {"timeZone": "UTC"}
# Spark takes single quotes and NaN for JSON unless it is told not to.
_STRICT = _UTC | {"mode": "PERMISSIVE", "allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
_NESTED = ("array<", "map<", "struct<")


def _type(value: str) -> str:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        exp.DataType.build(value, dialect="spark")
        if any(value.count(left) != value.count(right) for left, right in ("<>", "()")):
            raise SqlglotError("brackets that don't match are let pass")
    except SqlglotError:
        raise refuse(f"'{value}' is no Spark type", "write one such as array<struct<a:int,b:string>>") from None
    if any(sign in value for sign in ";'\"\\") or "--" in value:
        raise refuse("a type has no quotes, semicolons or comments")
    return value


Type = Annotated[str, AfterValidator(_type)]


class FromJsonConfig(Arguments):
    """Arguments of ``from_json``.

    Attributes
    ----------
    column : str
        A text column.
    schema : dict or str
        Key → Spark type; or the type of the whole document, such as ``array<string>``.
    into : str, optional
        The column that gets the nested value; the text's own where absent.
    rescue : str, optional
        A column of type map<string,string> for the keys that the schema does not know, with their values as JSON.
    otherwise : {'quarantine', 'null', 'fail'}
        What becomes of a text that is no such document.
    """

    short = ""
    column: str
    schema_: dict[str, Type] | Type = Field(alias="schema")
    into: str | None = None
    rescue: str | None = None
    otherwise: Otherwise = "quarantine"

    @model_validator(mode="after")
    def _fits(self) -> FromJsonConfig:
        if self.rescue and isinstance(self.schema_, str):
            raise refuse("'rescue' needs a schema of keys", "write schema: {key: type}")
        return self


class FromJson(Verb):
    """Read JSON by a schema."""

    Config = FromJsonConfig
    name = "from_json"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the nested column."""
        from pyspark.sql import functions as F

        config: FromJsonConfig = self.config
        (name,) = texts(frame, [config.column])
        text = F.col(quoted(name))
        kind = config.schema_
        if isinstance(kind, dict):
            kind = f"struct<{','.join(f'{quoted(key)}:{of}' for key, of in kind.items())}>"
        options = _STRICT | {"columnNameOfCorruptRecord": _CORRUPT}
        # Inside an object any document has a place beside it for what is malformed …
        boxed = F.concat(F.lit('{"v":'), text, F.lit("}"))
        read = F.from_json(boxed, f"v {kind}, {_CORRUPT} string", options)
        # … and inside an array what stands behind the document shows.
        alone = F.size(F.from_json(F.concat(F.lit("["), text, F.lit("]")), "array<string>", _STRICT)) == 1
        fault = text.isNotNull() & ~F.coalesce(read[_CORRUPT].isNull() & alone, F.lit(False))
        into = spelled(frame, config.into or name)
        edits = [Edit(into, read["v"], fault, f"{self.name}:{config.column}", name, config.otherwise)]
        if config.rescue:
            known = [F.lit(key) for key in config.schema_]
            every = texts_of(text, _STRICT)
            rest = F.map_filter(every, lambda key, _: ~key.isin(known))
            edits.append(Edit(spelled(frame, config.rescue), F.when(~fault & (F.size(rest) > 0), rest)))
        return edited(frame, edits, tally)

    def columns(self, before: Sequence[str]) -> list[str]:
        """Return the columns with the new ones."""
        names = [name for name in (self.config.into, self.config.rescue) if name]
        return [*before, *(name for name in names if not has(before, name))]


class ToJsonConfig(Arguments):
    """Arguments of ``to_json``.

    Attributes
    ----------
    columns : tuple of str
        One nested column, or several columns that become one object.
    into : str, optional
        The column that gets the text; that of a single nested column where absent.
    """

    columns: Columns
    into: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> ToJsonConfig:
        if self.into is None and len(self.columns) > 1:
            raise refuse("'into' is missing: several columns become one", "add into:")
        return self


class ToJson(Verb):
    """Write nested values, or several columns, as JSON; NULL stands there as null."""

    Config = ToJsonConfig
    name = "to_json"

    def apply(self, frame: DataFrame, tally: str) -> DataFrame:
        """Return the frame with the text."""
        from pyspark.sql import functions as F

        columns = [found(frame, name) for name in self.config.columns]
        name, kind = columns[0]
        whole = F.col(quoted(name))
        if len(columns) > 1 or not kind.startswith(_NESTED):
            whole = F.struct(*[F.col(quoted(each)) for each, _ in columns])
        text = F.to_json(whole, _UTC | {"ignoreNullFields": "false"})
        return edited(frame, [Edit(spelled(frame, self.config.into or name), text)], tally)
