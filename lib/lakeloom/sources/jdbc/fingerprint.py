"""A figure over all rows of a source that its database makes itself, so that nothing is sent where nothing changed.

PostgreSQL can. Other products have no text of a row that tells all values apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.core.secrets import reveal
from lakeloom.session.connect import is_connect
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.described import described
from lakeloom.sources.jdbc.dialects import product, quote_identifier

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_HASHES_ROWS = 14  # the release of PostgreSQL from which a row's hash is made of its values, not of their text
# PostgreSQL's type → what is hashed for a value. Its own hash of a type is one for all values that it calls equal:
# taken where these are one in bronze too. Floating point has two zeros; texts can be equal by a collation, or but for
# blanks at their end.
_ITSELF = ("bool", "int2", "int4", "int8", "smallserial", "serial", "bigserial", "date", "timestamp", "timestamptz",
           "uuid", "bytea")  # fmt: skip
_HASHED = dict.fromkeys(_ITSELF, "{}") | {
    "float4": "float4send({})", "float8": "float8send({})", "bpchar": "bpcharsend({})",
    "text": '{} COLLATE "C"', "varchar": '{} COLLATE "C"',
}  # fmt: skip
_TEXT = '({})::text COLLATE "C"'


def fingerprint(session: SparkSession, config: JdbcConfig, types: Mapping[str, str], where: str) -> str | None:
    """Return SQL of an aggregate over all values of the rows that `where` takes, equal for equal rows in any order.

    Parameters
    ----------
    types : mapping
        Column, as the database spells it → Spark's type.

    Returns
    -------
    str or None
        None where the database has none.
    """
    url = reveal(config.url)
    if product(url) != "postgresql":
        return None
    quoted = {name: quote_identifier(url, name) for name in types}
    about = None if is_connect(session) else described(session, config)
    if about is None or about.release < _HASHES_ROWS:
        row = f"hashtextextended(ROW({', '.join(quoted.values())})::text, 0)"
    else:
        hashed = [_hashed(about.kinds.get(name, ""), types[name]).format(column) for name, column in quoted.items()]
        # A row's hash is a sum of its values' hashes: summed as it is, values that change places between rows would
        # be no change. So it is the seed of one hash more.
        row = f"hashint8extended(0, hash_record_extended(ROW({', '.join(hashed)}), 0))"
    return f"(SUM({row}) FILTER (WHERE {where}))::text"


def _hashed(kind: str, spark: str) -> str:
    """Return what is hashed of a column; a number that comes as text has places of its own in each row."""
    if kind == "numeric" and spark.startswith("decimal"):
        return "{}"
    return _HASHED.get(kind, _TEXT)
