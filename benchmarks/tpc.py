"""Column lineage checked against something that is not ours: the TPC-H and TPC-DS queries, and sqlglot's own lineage.

The queries and their schemas come from sqlglot's source package, which has them among its tests. Spark analyses each
on empty tables, and we read its plan; sqlglot reads the text. Compared is, for each column of each query, from which
columns of which tables its value comes.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.result import Result, Table, Target

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Column = tuple[str, str]
Schema = Mapping[str, Mapping[str, str]]
SUITES = {"TPC-H": "tpc-h", "TPC-DS": "tpc-ds"}


@dataclass(frozen=True)
class Compared:
    """One column of one query: where its value comes from by Spark's plan, and by sqlglot.

    Attributes
    ----------
    beside : dict
        Column → how it decides about this column or all rows by Spark's plan, without being part of the value.
    """

    suite: str
    query: int
    column: str
    ours: frozenset[Column]
    theirs: frozenset[Column]
    beside: Mapping[Column, str] = field(default_factory=dict, compare=False)


_HEAD = ("query", "column", "a source of the value to us alone", "to sqlglot alone")


class UnreadError(Exception):
    """One of the two could not read a query; who, and what it raised."""


def measure() -> Result:
    """Compare all queries."""
    from lakeloom.session.spark import open_session

    with tempfile.TemporaryDirectory() as place:
        home = fetched(Path(place))
        spark = open_session({}, name="tpc")
        found: list[Compared] = []
        failed: list[tuple[str, int, str]] = []
        for suite in SUITES:
            schema, texts = schema_of(home, suite), list(queries(home, suite))
            views(spark, schema)
            for number, text in enumerate(texts, start=1):
                try:
                    found += compared(spark, suite, number, text, schema)
                except UnreadError as cause:  # it is counted, and named
                    failed.append((suite, number, str(cause)))
        spark.stop()
    return result(found, failed)


def result(found: list[Compared], failed: list[tuple[str, int, str]]) -> Result:
    """Return the page's facts."""
    differing = [each for each in found if each.ours != each.theirs]
    queries_ = {(each.suite, each.query) for each in found}
    figures = {
        "queries": float(len(queries_)),
        "columns": float(len(found)),
        "equal": float(len(found) - len(differing)),
        "differing": float(len(differing)),
        "not_compared": float(len(failed)),
        "equal_share": round(1 - len(differing) / max(1, len(found)), 4),
    }
    rows = tuple(
        (
            f"{each.suite} {each.query}", each.column,
            ", ".join(sorted(".".join(column) for column in each.ours - each.theirs)),
            ", ".join(sorted(".".join(column) for column in each.theirs - each.ours)),
            ", ".join(sorted({each.beside.get(column, "not told") for column in each.theirs - each.ours})),
        )
        for each in differing
    )  # fmt: skip
    counts = ", ".join(f"{suite} {sum(each.suite == suite for each in found)} columns" for suite in SUITES)
    tables = [Table("Where the two differ", (*_HEAD, "which are to us"), rows)] if rows else []
    if failed:
        tables.append(Table("Not compared", ("query", "why"), tuple((f"{a} {b}", why) for a, b, why in failed)))
    return Result(
        "tpc",
        "Column lineage of TPC-H and TPC-DS",
        figures,
        (Target("equal_share", 0.95, "least", "share of the queries' columns whose sources are sqlglot's"),),
        {},
        tuple(tables),
        (
            f"{counts}; sqlglot {version('sqlglot')} reads the text, we read the plan that Spark has analysed on empty "
            "tables. Compared are the columns that a value comes from. sqlglot takes each column that is named inside "
            "an expression for a source; we tell those that only part or order a window, or group, as what they are.",
        ),
    )


def fetched(folder: Path) -> Path:
    """Return the tests of sqlglot's source package, of the release that is installed here.

    Raises
    ------
    RuntimeError
        Where the package can't be had.
    """
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "sqlglot", "-d", str(folder),
             f"sqlglot=={version('sqlglot')}"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"sqlglot's source package could not be fetched: {done.stderr[-500:]}")
    (package,) = folder.glob("sqlglot-*.tar.gz")
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    return package.with_name(package.name.removesuffix(".tar.gz")) / "tests"


def queries(home: Path, suite: str) -> Iterator[str]:
    """Yield a suite's queries; each is followed there by what sqlglot's optimizer makes of it."""
    text = (home / "fixtures" / "optimizer" / SUITES[suite] / f"{SUITES[suite]}.sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith(("--", "#"))]
    statements = [each.strip() for each in "\n".join(lines).split(";")]
    yield from (each for each in statements[:-1:2] if each)


def schema_of(home: Path, suite: str) -> Schema:
    """Return table → column → type, as sqlglot's tests have them."""
    found: Schema = runpy.run_path(str(home / "helpers.py"))[f"{suite.replace('-', '')}_SCHEMA"]
    return found


def views(spark: SparkSession, schema: Schema) -> None:
    """Lay out empty tables as the store gives tables: with their names and versions as aliases."""
    from sqlglot import exp

    for table, columns in schema.items():
        kinds = ", ".join(f"`{name}` {exp.DataType.build(kind).sql('spark')}" for name, kind in columns.items())
        spark.createDataFrame([], kinds).alias(f"tpc.{table}@0").createOrReplaceTempView(table)


def compared(spark: SparkSession, suite: str, number: int, text: str, schema: Schema) -> list[Compared]:
    """Return each column of a query as both see it."""
    import sqlglot

    from lakeloom.lineage.plan import read

    (words,) = sqlglot.transpile(text, write="spark")
    try:
        plan = spark.sql(words)._jdf.queryExecution().analyzed().toJSON()
    except Exception as cause:  # Spark's and Py4J's have no common base
        raise UnreadError(f"Spark does not analyse it ({type(cause).__name__})") from cause
    try:
        flows = read(plan)
    except Exception as cause:  # whatever it did not think of
        raise UnreadError(f"our reading of its plan raises {type(cause).__name__}") from cause
    try:
        theirs = by_sqlglot(text, schema)
    except Exception as cause:  # it raises what it happens on
        raise UnreadError(f"sqlglot's lineage raises {type(cause).__name__}") from cause
    if len(flows.columns) != len(theirs):
        raise UnreadError("two of its columns have one name, which no table can have")
    found = []
    for (name, column), other in zip(flows.columns.items(), theirs, strict=True):
        named = [((flow.table.removeprefix("tpc."), flow.column), flow.how) for flow in (*column.flows, *flows.rows)]
        mine = frozenset(place for place, how in named if how == "value")
        found.append(Compared(suite, number, name, mine, other, dict(reversed(named))))
    return found


def by_sqlglot(text: str, schema: Schema) -> list[frozenset[Column]]:
    """Return the sources of each column of a query by sqlglot's lineage."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify

    known: dict[str, Any] = {table: dict(columns) for table, columns in schema.items()}
    tree = qualify(sqlglot.parse_one(text), schema=known)
    found = []
    for name in tree.named_selects:  # type: ignore[attr-defined]  # a query has them
        leaves = [leaf for leaf in lineage(name, tree, schema=known).walk() if not leaf.downstream]
        found.append(
            frozenset(
                (leaf.expression.name, leaf.name.rpartition(".")[2].strip('"'))
                for leaf in leaves
                if isinstance(leaf.expression, exp.Table)
            )
        )
    return found
