"""A query over the tables by their names, at any version, without a JVM where that is possible.

deltalake's own engine (DataFusion) answers; Spark does where it is asked for, and where a table has
a feature that deltalake can't read. Both read the last good version unless the query names one:
``FROM silver.flights@7``.

DataFusion speaks PostgreSQL's dialect, Spark its own. What differs most: unquoted names are lower
case in DataFusion, quotes are ``"`` there and `````` in Spark, and functions on dates have other names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from lakeloom.api.mentions import Mention, bind, mentions, one_select
from lakeloom.api.table import unknown
from lakeloom.core.errors import LakeloomError, StoreError, TableError
from lakeloom.core.names import TableName
from lakeloom.store.arrow import gathered
from lakeloom.store.damage import of_a_table
from lakeloom.store.lake import Lake, readable
from lakeloom.store.tags import resolve

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

Engine = Literal["auto", "delta", "spark"]
_UNREADABLE = re.compile(r"(?i)feature|protocol|unsupported|not supported|deletion vector|column mapping")
_KIND = re.compile(r"(?i)(cast|overflow|divide|division|parser?|compute)")


class UnreadableError(Exception):
    """A table has a feature that deltalake can't read: Spark's turn."""


def query(
    lake: Lake,
    good: Mapping[str, int],
    sql: str,
    *,
    engine: Engine = "auto",
    limit: int | None = None,
    point: str = "",
    spark: Callable[[], SparkSession],
) -> pa.Table:
    """Return the rows of one SELECT as Arrow.

    Parameters
    ----------
    good : mapping
        The last good version of each table.
    engine : {'auto', 'delta', 'spark'}
        ``delta`` needs no JVM; ``auto`` takes it and falls back to Spark for a table it can't read.
    limit : int, optional
        The number of rows to stop at.
    point : str
        Version, time or tag of the tables that are named without one.
    spark : callable
        Gives the Spark session; called only where Spark is needed.

    Raises
    ------
    TableError
        LL-CONF-012 where the text is not one SELECT, LL-TABLE-007 where it does not fit the tables,
        LL-TABLE-008 where it fails while it runs.
    StoreError
        LL-STORE-001 for an unknown table, LL-STORE-002 for an unknown version or tag.
    """
    if engine not in ("auto", "delta", "spark"):
        raise TableError("LL-CONF-020", f"engine '{engine}' is unknown; the engines are auto, delta, spark")
    one_select(sql)
    found = mentions(sql, lambda table: lake.exists(TableName.parse(table)))
    for mention in found:
        if not mention.column and not lake.exists(mention.ref.table):
            raise unknown(lake, mention.ref.table)
    versions = {m.text: resolve(lake, m.ref.at(point), good.get(str(m.ref.table))) for m in found if not m.column}
    if engine != "spark":
        try:
            return _by_delta(lake, sql, found, versions, limit)
        except UnreadableError:
            if engine == "delta":
                raise TableError(
                    "LL-STORE-005",
                    "a table of the query has a feature that deltalake can't read",
                    fix="ask with --engine spark",
                ) from None
    return _by_spark(lake, sql, found, versions, limit, spark())


def _by_delta(lake: Lake, sql: str, found: list[Mention], versions: Mapping[str, int], limit: int | None) -> pa.Table:
    from deltalake import QueryBuilder
    from deltalake.exceptions import DeltaError

    engine = QueryBuilder()
    schemas = set()
    for text, version in versions.items():
        schema, name = _place(text)
        if schema not in schemas:
            engine.execute(f'CREATE SCHEMA "{schema}"').read_all()
            schemas.add(schema)
        try:
            opened = lake.delta(text.partition("@")[0], version)
            if not readable(opened):
                raise UnreadableError(text)
            engine.register(f'"{schema}"."{name}"', opened)
        except (DeltaError, StoreError) as cause:
            if _UNREADABLE.search(f"{cause} {cause.__cause__ or ''}"):
                raise UnreadableError(text) from cause
            raise
    bound = bind(sql.rstrip().rstrip(";"), found, lambda mention: _quoted(mention, versions))
    try:
        reader = engine.execute(bound)
    except DeltaError as cause:
        raise _wrong(str(cause)) from cause
    try:
        return gathered(reader, limit)
    except Exception as cause:  # arro3 raises its own bare exceptions for what breaks while rows are read
        broken = of_a_table(f"/{cause}")
        if broken is not None:
            raise broken from cause
        if isinstance(cause, DeltaError) and _UNREADABLE.search(str(cause)):
            raise UnreadableError("") from cause
        raise _failed(str(cause)) from cause


def _quoted(mention: Mention, versions: Mapping[str, int]) -> str:
    schema, name = _place(mention.text)
    if mention.column and mention.text.partition("@")[0] not in versions:
        return f'"{name}"'
    return f'"{schema}"."{name}"'


def _place(text: str) -> tuple[str, str]:
    """Return the schema and the name by which the engine has a mention's table; a dot would name a catalog."""
    table, at, point = text.partition("@")
    layer, _, name = table.partition(".")
    return layer + at + point.replace(".", "|"), name


def _by_spark(
    lake: Lake,
    sql: str,
    found: list[Mention],
    versions: Mapping[str, int],
    limit: int | None,
    spark: SparkSession,
) -> pa.Table:
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    from lakeloom.session.spark import step_session
    from lakeloom.tables.variants import as_text

    # A name in back quotes must not open a file that is no table of the lake.
    with step_session(spark, {"spark.sql.runSQLOnFiles": "false"}) as session:
        for text, version in versions.items():
            lake.frame(session, text.partition("@")[0], version).createOrReplaceTempView(_view(text))
        bound = bind(sql.rstrip().rstrip(";"), found, lambda mention: _viewed(mention, versions))
        try:
            frame = as_text(session.sql(bound))
            return (frame.limit(limit) if limit is not None else frame).toArrow()
        except (AnalysisException, ParseException) as cause:
            raise _wrong(str(cause).splitlines()[0]) from cause
        except (PySparkException, Py4JError) as cause:
            broken = of_a_table(str(cause))
            if broken is not None:
                raise broken from cause
            if isinstance(cause, Py4JError):
                raise
            raise _failed(str(cause.getCondition() or type(cause).__name__)) from cause


def _view(text: str) -> str:
    table, at, point = text.partition("@")
    # By their codes, so that release-7 and release_7 are two views.
    return table.replace(".", "__") + re.sub(r"[\W]", lambda sign: f"_{ord(sign[0]):x}_", at + point)


def _viewed(mention: Mention, versions: Mapping[str, int]) -> str:
    if mention.column and mention.text not in versions:
        return _view(next(text for text in versions if text.partition("@")[0] == mention.text))
    return _view(mention.text)


def _wrong(message: str) -> LakeloomError:
    text = message.replace('"', "'")
    if "ParserError" in text or "PARSE_SYNTAX_ERROR" in text:
        found = re.search(r"ParserError\('(.*)'\)", text)
        return TableError("LL-CONF-012", found.group(1) if found else text, fix="mend the SQL")
    return TableError(
        "LL-TABLE-007", " ".join(text.split()), fix="mend the SQL, or ask Spark's dialect with --engine spark"
    )


def _failed(message: str) -> LakeloomError:
    """Return an error that names the kind of failure only: the text behind it may quote a row's value."""
    kind = _KIND.search(message)
    return TableError(
        "LL-TABLE-008",
        f"the query failed while it ran ({kind.group(1).lower() if kind else 'engine'} error)",
        fix="cast with try_cast, or look at single rows with 'lakeloom show'",
    )
