"""A table or query of a database over JDBC: incremental by a watermark, read in partitions.

A poll asks for the largest watermark and pins the window and its partitions as predicates; a read
takes exactly these, so a replay after a crash reads the same window. Within the overlap, rows that
bronze holds already are dropped by the hash of the whole row. Without a watermark (or in rows where
it is NULL) the table is compared as a whole: a fingerprint says whether it changed, hashes which rows.

Refused: identifiers that are no plain names (they become SQL), a query of several statements. The
URL, the user and the driver's own messages never get into an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakeloom.core import durations
from lakeloom.core.errors import ConfigError, SourceError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import is_identifier, quoted
from lakeloom.core.secrets import Secret, reveal
from lakeloom.session.connect import is_connect
from lakeloom.session.settings import is_local
from lakeloom.session.spark import step_session
from lakeloom.sources import windows
from lakeloom.sources.columns import stored_name
from lakeloom.sources.dialects import adapted, literals, quote_identifier
from lakeloom.sources.embedded import anchored, is_embedded, read_alone
from lakeloom.sources.landing import Batch, Landing

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

Text = str | Secret


class Incremental(BaseModel):
    """The watermark column, and how far behind it rows may still appear.

    Attributes
    ----------
    by : str
        A number, date, time or text that only grows when a row changes.
    overlap : str or int
        A duration for dates and times, units for numbers; read again each time, known rows dropped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: str
    overlap: str | int = 0

    @property
    def units(self) -> int:
        """The overlap in seconds, or in units of the number."""
        return self.overlap if isinstance(self.overlap, int) else durations.parse(self.overlap).seconds


class Partitions(BaseModel):
    """Into how many ranges of which column (number, date or time) a read is divided."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    number: int = Field(ge=1, le=1000)


class JdbcConfig(BaseModel):
    """What ``sources.yml`` says of a source of kind ``jdbc``.

    Attributes
    ----------
    url : str
        Starts with ``jdbc:``.
    driver : str, optional
        The driver's class, where the driver does not announce itself.
    table, query : str
        One of them: ``name`` or ``schema.name``, or a SELECT.
    user, password : str or Secret, optional
        Best as ``${secret:scope/key}``.
    properties : dict
        More of the driver's properties.
    keys : tuple of str
        Columns that identify a row; spares a sort where there is no watermark.
    incremental : Incremental, optional
        Without it the whole table is compared.
    partitions : Partitions, optional
        Without it one connection reads all.
    fetch_rows : int
        Rows a round trip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Literal["jdbc"]
    url: Text
    driver: str | None = None
    table: str | None = None
    query: str | None = None
    user: Text | None = None
    password: Text | None = None
    properties: dict[str, Text] = {}
    keys: tuple[str, ...] = ()
    incremental: Incremental | None = None
    partitions: Partitions | None = None
    fetch_rows: int = Field(default=10_000, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> JdbcConfig:
        if (self.table is None) == (self.query is None):
            raise ValueError("a source has either 'table' or 'query'")
        if not reveal(self.url).startswith(("jdbc:", "${")):
            raise ValueError("the url starts with jdbc:")
        if self.query is not None and ";" in self.query:
            raise ValueError("the query is one SELECT, without a semicolon")
        named = [*(self.table or "").split("."), *self.keys]
        named += [
            each
            for each in (self.incremental and self.incremental.by, self.partitions and self.partitions.column)
            if each
        ]
        for name in filter(None, named):
            if not is_identifier(name) and not name.startswith("${"):
                raise ConfigError(
                    "LL-CONF-014",
                    f"'{name}' is not a plain identifier: it becomes SQL",
                    where="jdbc source",
                    fix="use letters, digits and underscores; quote other names inside a 'query'",
                )
        if self.incremental is not None and isinstance(self.incremental.overlap, str):
            durations.parse(self.incremental.overlap, "incremental.overlap")
        return self


class Jdbc:
    """The source kind ``jdbc``. Derby is inside Spark; other drivers' jars lie in ``environment/jars``."""

    Config: ClassVar[type[BaseModel]] = JdbcConfig
    jars: ClassVar[tuple[str, ...]] = ()
    needs_spark: ClassVar[bool] = True

    @classmethod
    def poll(
        cls, config: JdbcConfig, landed: Sequence[Batch], clock: datetime, spark: Callable[[], SparkSession], base: Path
    ) -> Batch | None:
        """Return the window of what is new, None where watermark, count and fingerprint are as they were.

        Raises
        ------
        SourceError
            LL-SOURCE-001 to LL-SOURCE-005.
        """
        del clock
        config = at_home(config, base)
        with coded(config), step_session(spark()) as session:
            return _poll(config, landed[-1] if landed else None, session)

    @classmethod
    def read(
        cls, spark: SparkSession, config: JdbcConfig, batch: Batch, known: DataFrame | None, base: Path
    ) -> Landing:
        """Read a batch's window once, into the session's cache, and drop what `known` (bronze) holds.

        The rows are fetched here and not when they are written, so that the database is asked once and
        a lost connection is a coded, transient error.

        Raises
        ------
        SourceError
            LL-SOURCE-001 to LL-SOURCE-005.
        """
        from pyspark.sql import functions as F

        config = at_home(config, base)

        with coded(config):
            rows = _stored(_table(spark, config, batch["partitions"]))
            raw = rows.columns
            marked = _marked(rows, config).persist()
            marked.count()
        found = marked if known is None else _unknown(marked, known, config, batch)
        good = found.select(
            *[F.col(quoted(name)) for name in raw],
            F.lit(config.table or "query").alias("_file"),
            F.lit(0).alias("_file_no"),
            "_record",
        )
        return Landing(good, None, marked)

    @classmethod
    def probe(cls, spark: SparkSession, config: JdbcConfig, batch: Batch, base: Path) -> Batch:
        """Return the batch as it is: there are no files of which one could be bad."""
        del spark, config, base
        return batch


def at_home(config: JdbcConfig, base: Path) -> JdbcConfig:
    """Return the config as the driver is to be asked, an embedded database at the home; a secret URL stays secret."""
    url, driver = adapted(anchored(reveal(config.url), base))
    kept = Secret(url) if isinstance(config.url, Secret) else url
    return config.model_copy(update={"url": kept, "driver": config.driver or driver})


@contextmanager
def coded(config: JdbcConfig) -> Iterator[None]:
    """Turn what drivers and Spark raise into coded errors that show neither URL nor user."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    from lakeloom.sources.jdbc_errors import translate

    try:
        yield
    except (Py4JError, PySparkException) as cause:
        # Not chained: the cause's text may carry the URL and the user.
        raise translate(cause, f"jdbc source {config.table or 'query'}") from None


def _properties(config: JdbcConfig, **more: str) -> dict[str, str]:
    found = {name: reveal(value) for name, value in config.properties.items()}
    found |= {
        name: reveal(value)
        for name, value in (("user", config.user), ("password", config.password))
        if value is not None
    }
    if config.driver:
        found["driver"] = config.driver
    return found | {"fetchsize": str(config.fetch_rows)} | more


def origin_of(config: JdbcConfig) -> str:
    """Return what a query reads from: the table, or the source's own query in brackets."""
    return config.table or f"({config.query}) lakeloom_source"


def _table(spark: SparkSession, config: JdbcConfig, predicates: Sequence[str], **more: str) -> DataFrame:
    found = fetch(spark, config, origin_of(config), predicates, **more)
    lossy = _lossy(found, config)
    if not lossy:
        return found
    asked = ", ".join(f"{quoted(name)} STRING" for name in lossy)
    return fetch(spark, config, origin_of(config), predicates, customSchema=asked, **more)


def _lossy(rows: DataFrame, config: JdbcConfig) -> list[str]:
    """Return the columns that are read as text, since Spark's type for them would lose of their values in silence.

    Decimals with more places than Spark's type gives them, or (NUMERIC without a length) as many as each value has;
    times of day, which some databases count beyond a day. A watermark keeps its type, in which it is compared.
    """
    from pyspark.sql.types import DecimalType, StructField

    by = config.incremental.by.lower() if config.incremental is not None else ""

    def loses(field: StructField) -> bool:
        if isinstance(field.dataType, DecimalType):
            return bool(field.metadata.get("scale", field.dataType.scale) != field.dataType.scale)
        return bool(field.metadata.get("logical_time_type"))

    return [field.name for field in rows.schema if field.name.lower() != by and loses(field)]


def fetch(spark: SparkSession, config: JdbcConfig, table: str, predicates: Sequence[str], **more: str) -> DataFrame:
    """Return a table or bracketed query of the database, one connection a predicate."""
    url, properties = reveal(config.url), _properties(config, **more)
    # CHAR and VARCHAR are text: else Spark pads the values of an enumeration, and Delta would hold bronze to lengths.
    spark.conf.set("spark.sql.legacy.charVarcharAsString", "true")
    if is_embedded(url) and not is_connect(spark) and not is_local(spark.sparkContext.master):
        return read_alone(spark, url, table, predicates, properties)
    return spark.read.jdbc(url, table, predicates=list(predicates), properties=properties)


def _poll(config: JdbcConfig, last: Batch | None, session: SparkSession) -> Batch | None:
    # Wall clock as the database keeps it, whatever the zone of this machine.
    whole = _table(session, config, [windows.EVERY_ROW], preferTimestampNTZ="true")
    types = dict(whole.dtypes)
    for key in config.keys:
        spelled(types, key)
    quote = partial(quote_identifier, reveal(config.url))
    figures = {"row_count": "COUNT(*)"}
    by = at = None
    if config.incremental is not None:
        by = spelled(types, config.incremental.by, ("number", "date", "time", "zoned", "text"))
        figures |= {"upper_mark": f"MAX({quote(by)})", "marked_rows": f"COUNT({quote(by)})"}
    if config.partitions is not None:
        at = spelled(types, config.partitions.column, ("number", "date", "time", "zoned"))
        figures |= {"low_edge": f"MIN({quote(at)})", "high_edge": f"MAX({quote(at)})"}
    found = _figures(session, config, figures)
    batch: Batch = {"rows": _count(found["row_count"]), "lower": None, "upper": None, "overlap_s": 0, "since": None}
    where, loose = windows.EVERY_ROW, windows.EVERY_ROW
    if by is not None and config.incremental is not None:
        of = str(windows.family(types[by]))
        batch["upper"] = found["upper_mark"]
        batch["lower"] = last.get("upper") if last else None
        batch["overlap_s"] = config.incremental.units
        batch["since"] = windows.since(batch["lower"], config.incremental.units, of)
        where = windows.window(quote(by), batch["since"], batch["upper"], of, literals(reveal(config.url)))
        loose = f"{quote(by)} IS NULL" if batch["rows"] > _count(found["marked_rows"]) else ""
    batch["fingerprint"] = _fingerprint(session, config, loose) if loose else None
    pinned = ("rows", "upper", "fingerprint")
    if last is not None and all(last.get(name) == batch[name] for name in pinned):
        return None
    if last is None and not batch["rows"]:
        return None
    ranges = [windows.EVERY_ROW]
    if at is not None and config.partitions is not None:
        of = str(windows.family(types[at]))
        edges = found["low_edge"], found["high_edge"]
        ranges = windows.ranges(quote(at), *edges, config.partitions.number, of, literals(reveal(config.url)))
    batch["partitions"] = [windows.both(where, each) for each in ranges]
    return batch


def _figures(session: SparkSession, config: JdbcConfig, figures: Mapping[str, str]) -> dict[str, str | None]:
    """Return the aggregates of the source as text."""
    listed = ", ".join(f"{sql} AS {name}" for name, sql in figures.items())
    table = f"(SELECT {listed} FROM {origin_of(config)}) lakeloom_figures"  # noqa: S608  names are validated or quoted
    frame = fetch(session, config, table, [windows.EVERY_ROW], preferTimestampNTZ="true")
    row = frame.selectExpr(*[f"CAST({name} AS STRING) AS {name}" for name in figures]).first()
    assert row is not None  # an aggregate without groups has one row
    return {name: row[name] for name in figures}


def _count(text: str | None) -> int:
    """Return a database's count: not all give it as a whole number."""
    return int(Decimal(text or 0))


def _fingerprint(session: SparkSession, config: JdbcConfig, where: str) -> str:
    """Return a figure over all rows that `where` takes; equal tables have equal ones, in any order."""
    from pyspark.sql import functions as F

    rows = _table(session, config, [where])
    row = rows.agg(F.count("*"), F.sum(_hash(rows.columns).cast("decimal(20,0)"))).first()
    assert row is not None  # an aggregate without groups has one row
    return f"{row[0]}:{row[1]}"


def spelled(types: Mapping[str, str], name: str, families: tuple[str, ...] = ()) -> str:
    """Return a column's name as the database spells it."""
    for found, kind in types.items():
        if found.lower() == name.lower():
            if families and windows.family(kind) not in families:
                raise SourceError(
                    "LL-SOURCE-003",
                    f"column '{name}' is {kind}; here it may be {', '.join(families)}",
                    fix="take another",
                )
            return found
    near = nearest(name.lower(), {each.lower(): each for each in types})
    raise SourceError(
        "LL-SOURCE-003",
        f"column '{name}' is not in the source ({', '.join(types)})",
        fix=f"use '{near}'" if near else "use one of them",
    )


def _stored(rows: DataFrame) -> DataFrame:
    """Rename columns to those of bronze; names wholly in capitals are the database's folding and are folded back."""
    from pyspark.sql import functions as F

    names = [stored_name(name.lower() if name.isupper() else name) for name in rows.columns]
    return rows.select(*[F.col(quoted(old)).alias(new) for old, new in zip(rows.columns, names, strict=True)])


def _hash(columns: Sequence[str]) -> Column:
    """Return a hash of the whole row; NULLs count, which Spark's hash alone passes over."""
    from pyspark.sql import functions as F

    parts: list[Column] = []
    for name in columns:
        parts += [F.col(quoted(name)), F.col(quoted(name)).isNull()]
    return F.xxhash64(*parts)


def _marked(rows: DataFrame, config: JdbcConfig) -> DataFrame:
    """Add ``_record``: the row's hash, and for the second of two equal rows a hash of that and its number."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    marked = rows.withColumn("_record", _hash(rows.columns))
    if config.keys:
        return marked
    nth = F.row_number().over(Window.partitionBy("_record").orderBy("_record"))
    return (
        marked.withColumn("_nth", nth)
        .withColumn("_record", F.when(F.col("_nth") == 1, F.col("_record")).otherwise(F.xxhash64("_record", "_nth")))
        .drop("_nth")
    )


def _unknown(rows: DataFrame, known: DataFrame, config: JdbcConfig, batch: Batch) -> DataFrame:
    """Return the rows that bronze does not hold: within the overlap any of it, else each key's last state."""
    from pyspark.sql import functions as F

    if config.incremental is None and config.keys:
        keys = [quoted(stored_name(key)) for key in config.keys]
        latest = F.max_by("_position.record", "_position.epoch").alias("_record")
        return rows.join(known.groupBy(*keys).agg(latest).select("_record"), "_record", "left_anti")
    held = known
    if config.incremental is not None and batch["since"] is not None:
        by = F.col(quoted(stored_name(config.incremental.by)))
        first = F.lit(batch["since"]).cast(known.select(by).schema[0].dataType)
        held = known.where((by >= first) | by.isNull())
    return rows.join(held.select(F.col("_position.record").alias("_record")), "_record", "left_anti")
