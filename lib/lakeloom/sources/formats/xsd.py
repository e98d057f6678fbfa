"""XSD: whether one is sound, and why a row of XML breaks it, in words that hold nothing of its values."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lakeloom.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column

_ELEMENT = "{http://www.w3.org/2001/XMLSchema}element"


def xsd(reading: Reading) -> Any:
    """Return the root of the XSD; raises ValueError where it is none."""
    from lxml import etree

    try:
        root = etree.fromstring(reading.schema, _parser(), base_url=reading.schema_path or None)
        etree.XMLSchema(root)
    except etree.XMLSyntaxError as cause:
        raise ValueError(f"it is no XSD (line {cause.lineno})") from None
    except etree.XMLSchemaParseError:
        raise ValueError("it is no XSD") from None
    return root


def declares(root: Any, row_tag: str) -> None:
    """Raise ValueError where an XSD does not declare the element of a row at its top."""
    names = [each.get("name") for each in root.iterchildren(_ELEMENT)]
    if row_tag not in names:
        raise ValueError(f"it declares no element {row_tag} at its top; it declares {', '.join(names) or 'none'}")


def why(reading: Reading) -> Callable[[Column], Column]:
    """Return the function of broken rows (their text) that tells the first thing that breaks the XSD; NULL of NULL."""
    from pyspark.sql import functions as F

    schema, path = reading.schema, reading.schema_path
    return F.udf(lambda row: None if row is None else _first(schema, path, row), "string")


@lru_cache(maxsize=8)
def _validator(schema: bytes, path: str) -> Any:
    from lxml import etree

    return etree.XMLSchema(etree.fromstring(schema, _parser(), base_url=path or None))


def _first(schema: bytes, path: str, row: str) -> str:
    """Return where and by which rule of the XSD a row is broken.

    The rules' names are those of the standard: ``cvc-datatype-valid``, ``cvc-complex-type`` and so on.
    """
    from lxml import etree

    try:
        document = etree.fromstring(row.encode(), _parser())
    except etree.XMLSyntaxError:
        return "malformed xml record"
    validator = _validator(schema, path)
    if validator.validate(document):
        return "breaks the XSD"
    first = validator.error_log[0]
    rule = first.type_name.removeprefix("SCHEMAV_").lower().replace("_", "-")
    return f"breaks the XSD at {first.path} ({rule})"


def _parser() -> Any:
    from lxml import etree

    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
