"""The row inside a change, as a struct or as JSON: its fields, each with its value and the type that it came in.

JSON has no columns and few types. Which fields there are is found by one look at the texts; each is text, and what
the contract wants nested is read with all that is in it, its values as text too. So a stream whose images are JSON
is held to its contract as one whose images are structs, and no field is left out unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.cleansing.json_texts import read_as, texts_of
from lakeloom.core.names import quoted
from lakeloom.store.types import Node, kind_of, nodes_of, sql_type

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_SIGNS = {"struct": "{", "map": "{", "array": "["}
# What `schema_of_variant_agg` calls a struct, where it is no part of a field's name.
_OBJECT = re.compile(r"`(?:[^`]|``)*`|\bOBJECT<")


@dataclass(frozen=True)
class Field:
    """A field of an image.

    Attributes
    ----------
    value : Column
    kind : Node
        The type of the value.
    text : Column, optional
        Of what was read from JSON: the text, as it came.
    malformed : Column, optional
        Whether the text is no document of the wanted kind.
    """

    value: Column
    kind: Node
    text: Column | None = None
    malformed: Column | None = None


def opened(frame: DataFrame, name: str) -> DataFrame:
    """Return the frame with a column's JSON read into a map of texts; a struct stays one."""
    from pyspark.sql import functions as F

    if kind_of(nodes_of(frame)[name]) == "struct":
        return frame
    return frame.withColumn(name, texts_of(F.col(quoted(name)).cast("string")))


def fields(frame: DataFrame, row: str, wanted: Mapping[str, Node]) -> dict[str, Field]:
    """Return the fields of the images in a column that `opened` gave, those of the contract under its own names.

    Parameters
    ----------
    wanted : mapping
        The contract's columns: name → type. Names that differ by case alone are one.
    """
    from pyspark.sql import functions as F

    kind, value = nodes_of(frame)[row], F.col(quoted(row))
    own = {name.lower(): name for name in wanted}
    if isinstance(kind, dict) and kind_of(kind) == "struct":
        return {
            own.get(part["name"].lower(), part["name"]): Field(value.getField(part["name"]), part["type"])
            for part in kind["fields"]
        }
    nested = {name: node for name, node in wanted.items() if kind_of(node)}
    spellings, shapes = _looked(frame, row, wanted, nested)
    found = {}
    for name in {**dict.fromkeys(wanted), **dict.fromkeys(spellings)}:
        keys = list(dict.fromkeys([name, *spellings.get(name, ())]))
        text = F.coalesce(*(value.getItem(key) for key in keys))
        found[name] = Field(text, "string", text)
        if name in nested:
            shape, right = _texts(wanted[name], shapes[name]), _is(text, wanted[name])
            read = F.when(right, read_as(text, sql_type(shape)))
            found[name] = Field(read, shape, text, text.isNotNull() & ~F.coalesce(right, F.lit(False)))
    return found


def _looked(
    frame: DataFrame, row: str, wanted: Mapping[str, Node], nested: Mapping[str, Node]
) -> tuple[dict[str, list[str]], dict[str, Node]]:
    """Look at all texts once.

    Returns
    -------
    dict
        Name → its spellings in the texts, where these are not the contract's.
    dict
        Column that is wanted nested → what is in its documents.
    """
    from pyspark.sql import functions as F
    from pyspark.sql.types import DataType

    value = F.col(quoted(row))
    known = F.array(*(F.lit(name) for name in wanted)).cast("array<string>")
    asked = [F.array_sort(F.array_distinct(F.flatten(F.collect_set(F.array_except(F.map_keys(value), known)))))]
    for name, node in nested.items():
        text = _text(value, name)
        asked.append(F.schema_of_variant_agg(F.when(_is(text, node), F.try_parse_json(text))))
    told = frame.agg(*(each.alias(f"c{at}") for at, each in enumerate(asked))).first()
    assert told is not None
    names, *kinds = told
    own, spellings = {name.lower(): name for name in wanted}, dict[str, list[str]]()
    for name in names or ():
        spellings.setdefault(own.setdefault(name.lower(), name), []).append(name)
    shapes = {}
    for name, text in zip(nested, kinds, strict=True):
        plain = _OBJECT.sub(lambda each: "STRUCT<" if each[0] == "OBJECT<" else each[0], text or "VOID")
        shapes[name] = DataType.fromDDL(plain).jsonValue()
    return spellings, shapes


def _text(row: Column, name: str) -> Column:
    """Return a field's text, whatever the case of its name."""
    from pyspark.sql import functions as F

    same = F.map_filter(row, lambda key, _: F.lower(key) == name.lower())
    return F.try_element_at(F.map_values(same), F.lit(1))


def _is(text: Column, node: Node) -> Column:
    """Return whether a text is a document of a nested type's kind."""
    from pyspark.sql import functions as F

    return F.ltrim(text).startswith(_SIGNS[kind_of(node)]) & F.try_parse_json(text).isNotNull()


def _texts(want: Node, there: Node) -> Node:
    """Return the type by which documents are read: nested as is wanted, with all that is there, values as text.

    What is another thing in some documents than what is wanted is read as text, whole.
    """
    if not isinstance(want, dict) or (there != "void" and not kind_of(there)):
        return "string"
    inner: dict[str, Any] = there if isinstance(there, dict) else {"type": "void"}
    if kind_of(want) == "array" and inner["type"] in ("array", "void"):
        return want | {"elementType": _texts(want["elementType"], inner.get("elementType", "void"))}
    if kind_of(want) == "map" and inner["type"] in ("struct", "void"):
        kinds = [field["type"] for field in inner.get("fields", ())]
        return want | {"keyType": "string", "valueType": _texts(want["valueType"], _united(kinds))}
    if kind_of(want) == "struct" and inner["type"] in ("struct", "void"):
        named = {field["name"].lower(): field for field in want["fields"]}
        own = {field["name"]: field["type"] for field in inner.get("fields", ())}
        missing = [field for low, field in named.items() if low not in {name.lower() for name in own}]
        made = {field["name"]: _texts(field["type"], "void") for field in missing}
        for name, kind in own.items():
            made[name] = _texts(named[name.lower()]["type"], kind) if name.lower() in named else "string"
        return {"type": "struct", "fields": [_field(name, kind) for name, kind in made.items()]}
    return "string"


def _united(kinds: list[Node]) -> Node:
    """Return what is in values that a map holds side by side; text where they have nothing in common."""
    told = [kind for kind in kinds if kind != "void"]
    nested = [kind for kind in told if isinstance(kind, dict)]
    if not told:
        return "void"
    if len(nested) < len(told):
        return "string"
    if {kind_of(kind) for kind in nested} == {"struct"}:
        parts = dict[str, list[Node]]()
        for kind in nested:
            for field in kind["fields"]:
                parts.setdefault(field["name"], []).append(field["type"])
        return {"type": "struct", "fields": [_field(name, _united(each)) for name, each in parts.items()]}
    if {kind_of(kind) for kind in nested} == {"array"}:
        elements = [kind["elementType"] for kind in nested]
        return {"type": "array", "elementType": _united(elements), "containsNull": True}
    return "string"


def _field(name: str, kind: Node) -> dict[str, object]:
    return {"name": name, "type": kind, "nullable": True, "metadata": {}}
