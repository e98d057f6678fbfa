"""JSON whose values are read as text, with all of their digits.

Spark's ``from_json`` and ``get_json_object`` write a number with a fraction anew where it is wanted as text, by way
of a double: of ``12345678901234567.89`` they keep 17 digits, and say nothing. A variant keeps 38, as many as a
decimal has; but it sorts the keys of an object, and refuses one whose keys repeat. So only documents with such
numbers take this way, and of their values only those that may have been written anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column

_LONG = r"\d[\d.]{15}"  # as many digits as a double may not have the room for, wherever they stand
_ANEW = r"^\s*([\[{]|-?\d+\.\d+(E-?\d+)?$)"  # what may have been written anew: a fraction, or a document


def texts_of(document: Column, options: Mapping[str, str] | None = None) -> Column:
    """Return an object's values by key, ``map<string,string>``; NULL for what is no object.

    Parameters
    ----------
    document : Column
        JSON as text.
    options : mapping, optional
        Of ``from_json``.
    """
    from pyspark.sql import functions as F

    said = dict(options or {})
    plain = F.from_json(document, "map<string,string>", said)
    values = F.from_json(document, "map<string,variant>", said)
    exact = F.transform_values(values, lambda _, value: value.cast("string"))
    mended = F.map_zip_with(
        plain, exact, lambda _, text, other: F.when(text.rlike(_ANEW), F.coalesce(other, text)).otherwise(text)
    )
    return F.when(document.rlike(_LONG), F.coalesce(mended, plain)).otherwise(plain)


def text_at(document: Column, path: str) -> Column:
    """Return what stands at a path of a document: a text without its quotes, all else as JSON; NULL for nothing.

    Parameters
    ----------
    path : str
        As ``get_json_object`` takes it: ``$.key.key``.
    """
    from pyspark.sql import functions as F

    plain = F.get_json_object(document, path)
    exact = F.try_variant_get(F.try_parse_json(document), path, "string")
    return F.when(document.rlike(_LONG) & plain.rlike(_ANEW), F.coalesce(exact, plain)).otherwise(plain)


def read_as(document: Column, kind: str) -> Column:
    """Return a document as a nested Spark type whose innermost values are text; NULL for what is none.

    Parameters
    ----------
    kind : str
        The type; the names of its fields are spelled as in the document.
    """
    from pyspark.sql import functions as F

    plain = F.from_json(document, kind)
    exact = F.try_variant_get(F.try_parse_json(document), "$", kind)
    return F.when(document.rlike(_LONG), F.coalesce(exact, plain)).otherwise(plain)
