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
# PostgreSQL's own hash of a type is for finding values that it calls equal, and takes some for one that are not in
# bronze: numbers but for their sign, whole numbers of 64 bits and times whose halves make the same 32 bits, the two
# zeros of floating point, texts by a collation. So each type is hashed by what tells all its values apart.
_WHOLE = "hashint8extended({c}, {c} # {seed})"
_FRACTION = "CASE WHEN {c} = 0 THEN hashtextextended({c}::text, {seed}) ELSE hash{kind}extended({c}, {seed}) END"
_NUMERIC = "hash_numeric_extended({c}, CASE WHEN {c} < 0 THEN -{seed} ELSE {seed} END)"
_WORDS = 'hashtextextended({c} COLLATE "C", {seed})'
_HASHED = {
    "bool": "hashint4extended({c}::int, {seed})",
    "int2": "hashint2extended({c}, {seed})", "smallserial": "hashint2extended({c}, {seed})",
    "int4": "hashint4extended({c}, {seed})", "serial": "hashint4extended({c}, {seed})",
    "int8": _WHOLE, "bigserial": _WHOLE, "float4": _FRACTION, "float8": _FRACTION,
    "text": _WORDS, "varchar": _WORDS, "uuid": "uuid_hash_extended({c}, {seed})",
}  # fmt: skip
# Of those without a function for it that SQL may call, what is hashed as a field of a row.
_FIELD = {
    "date": "{}", "bytea": "{}", "timestamp": "timestamp_send({})", "timestamptz": "timestamptz_send({})",
    "bpchar": "bpcharsend({})",
}  # fmt: skip
_TEXT = '({})::text COLLATE "C"'
_SPREAD = 0x1E3779B97F4A7C15  # apart, so that one column's seeds are not another's with a few bits changed


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
        row = _row({column: (about.kinds.get(name, ""), types[name]) for name, column in quoted.items()})
    return f"(SUM({row}) FILTER (WHERE {where}))::text"


def _row(columns: Mapping[str, tuple[str, str]]) -> str:
    """Return SQL of a row's hash.

    Parameters
    ----------
    columns : mapping
        Column in SQL → the database's type, Spark's.
    """
    hashed, fields = list[str](), list[str]()
    for place, (column, (kind, spark)) in enumerate(columns.items(), start=1):
        # A number that comes as text has places of its own in each row.
        sql = _NUMERIC if kind == "numeric" and spark.startswith("decimal") else _HASHED.get(kind)
        if sql is None:
            fields.append(_FIELD.get(kind, _TEXT).format(column))
        else:
            seed = place * _SPREAD % 2**63
            hashed.append(f"COALESCE({sql.format(c=column, seed=seed, kind=kind)}, 0)")
    if fields:
        hashed.append(f"hash_record_extended(ROW({', '.join(fields)}), 0)")
    # Summed as it is, values that change places between rows would be no change: so it is the seed of one hash more.
    return f"hashint8extended(0, {' # '.join(hashed)})"
