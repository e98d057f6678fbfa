"""Comparing two versions of a table: only the files that they do not share are read, without a JVM where that goes.

deltalake's engine answers; Spark does where it is asked for, or where deltalake can't read the files. The
files lie in a table of their own for as long as the comparison takes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lakeloom.core.errors import LakeloomError, TableError
from lakeloom.core.kinds import nearest
from lakeloom.lineage.reach import Start
from lakeloom.store.between import Place, Side, between
from lakeloom.store.damage import of_a_table
from lakeloom.store.excerpt import excerpt
from lakeloom.store.lake import readable
from lakeloom.store.log import unchanged
from lakeloom.tables.comparing import ALL, NET, NEW, OLD, PAIRS, Compared, SchemaChange, Words, columns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lakeloom.flow.radius import Reach

Engine = Literal["auto", "delta", "spark"]
# What is told of a column; of one that may be personal the first two alone.
FIGURES = ("nulls", "distinct", "min", "max", "mean", "deviation", "median")
Row = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """How two versions of a table differ.

    Attributes
    ----------
    before, after : dict
        table, version, rows (None where they could not be told), files.
    read : dict
        What had to be read of them: files and bytes.
    schema : SchemaChange
    keys : tuple of str
        By what rows were told apart; none where there are only rows that came and went.
    added, removed : int
    changed : int or None
        Rows whose key stands on both sides; None without keys.
    columns : dict
        Column → changed rows in which it differs.
    spread : dict
        Column → before and after → nulls, distinct, min, max, mean: of the rows that differ alone.
    whole : dict
        The same of all rows, with deviation and median, where it was asked for; distinct and median are estimates.
    hidden : tuple of str
        Columns that may be personal: no value of theirs is told.
    examples : dict
        added and removed → rows; changed → key, and column → [before, after].
    engine : str
        Who read: delta, spark, or log where no row had to be read.
    reached : tuple of Reach
        What the columns and rows that differ reach, by the recorded lineage.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    read: dict[str, int]
    schema: SchemaChange
    keys: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int | None = None
    columns: dict[str, int] = field(default_factory=dict)
    spread: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    whole: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    examples: dict[str, list[Row]] = field(default_factory=dict)
    engine: str = "log"
    reached: tuple[Reach, ...] = ()

    def starts(self) -> Iterator[Start]:
        """Yield the columns of the older version that differ, and its rows where some came or went."""
        table, schema = str(self.before["table"]), self.schema
        for column in dict.fromkeys([*self.columns, *schema.dropped, *schema.retyped, *schema.renamed]):
            yield Start(f"{table}.{column}")
        if self.added or self.removed:
            yield Start(table)

    @property
    def same(self) -> bool:
        """Whether neither rows nor columns differ."""
        return not (self.added or self.removed or self.changed) and self.schema == SchemaChange()

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``diff --json``."""
        told = asdict(self)
        rows = {name: told.pop(name) for name in ("added", "removed", "changed")}
        return told | {"rows": rows, "same": self.same}


def compare(
    before: Place,
    after: Place,
    keys: Sequence[str] = (),
    *,
    hidden: Collection[str] = (),
    examples: int = 0,
    whole: bool = False,
    engine: Engine = "auto",
    spark: Callable[[], SparkSession],
) -> Comparison:
    """Return how the rows and columns of two versions differ.

    Parameters
    ----------
    keys : sequence of str
        By what rows are told apart; keys that the newer version lacks are no keys.
    hidden : collection of str
        Columns of which no value may be told.
    examples : int
        How many rows of each kind to show.
    whole : bool
        Tell the distribution of all rows too: where anything differs, both versions are read whole.
    spark : callable
        Gives the Spark session; called only where Spark is needed.

    Raises
    ------
    StoreError
        LL-STORE-012 where a version was vacuumed, LL-STORE-005 where a file is damaged.
    """
    for place in (before, after):
        place.lake.require(place.table, place.version)
    old, new = between(before, after)
    change, compared = columns(old.columns, new.columns, keys)
    named = tuple(name for name in keys if name in {each.name for each in compared})
    named = named if len(named) == len(keys) else ()
    told = Comparison(
        _side(before, old), _side(after, new), {"files": 0, "bytes": 0}, change, named, changed=0 if named else None
    )
    if _same_rows(before, after, old, new) or not compared:
        return told
    looked_at = {OLD: old.all if whole else old.own, NEW: new.all if whole else new.own}
    files = [add for adds in looked_at.values() for add in adds]
    read = {"files": len(files), "bytes": sum(int(add.get("size") or 0) for add in files)}
    secret = tuple(each.name for each in compared if each.name in hidden)
    with TemporaryDirectory(prefix="lakeloom-diff-") as folder:
        paths = {name: _laid(folder, name, side, side.own) for name, side in ((OLD, old), (NEW, new))}
        if whole:
            paths |= {ALL[name]: _laid(folder, ALL[name], side, side.all) for name, side in ((OLD, old), (NEW, new))}
        found = None
        if engine != "spark" and all(
            readable(place.lake.delta(place.table, place.version)) for place in (before, after)
        ):
            try:
                found = _answers(_Delta(paths), Words(compared, named), secret, examples, whole=whole)
            except LakeloomError:
                raise
            except Exception as cause:  # arro3 raises bare exceptions; what it can't read, Spark may
                _require_whole(cause)
                if engine == "delta":
                    raise _unreadable() from cause
        elif engine == "delta":
            raise _unreadable()
        by = "delta"
        if found is None:
            try:
                with _spark(spark(), paths) as reader:
                    found = _answers(reader, Words(compared, named, "`"), secret, examples, whole=whole)
            except Exception as cause:  # Py4J's and PySpark's have no common base
                _require_whole(cause)
                raise
            by = "spark"
    return Comparison(told.before, told.after, read, change, named, hidden=secret, engine=by, **found)


def _require_whole(cause: Exception) -> None:
    """Raise LL-STORE-005 where an engine failed for a file that is damaged or gone."""
    broken = of_a_table(str(cause))
    if broken is not None:
        raise broken from cause


def key_of(wanted: Sequence[str], known: Collection[str], where: str) -> tuple[str, ...]:
    """Return the keys that a user names; raises LL-TABLE-003 for one that is no column."""
    for name in wanted:
        if name not in known:
            near = nearest(name, list(known))
            raise TableError(
                "LL-TABLE-003", f"column '{name}' is not in {where} ({', '.join(known)})", where=where,
                fix=f"use '{near}'" if near else "name one of its columns",
            )  # fmt: skip
    return tuple(wanted)


def _same_rows(before: Place, after: Place, old: Side, new: Side) -> bool:
    if not old.own and not new.own:
        return True
    if old.root != new.root:
        return False
    first, last = sorted((before.version, after.version))
    return unchanged(before.lake, before.table, first, last)


def _side(place: Place, side: Side) -> dict[str, Any]:
    rows = side.rows if side.rows is not None else place.lake.size(place.table, place.version).rows
    return {"table": str(place.table), "version": side.version, "rows": rows if rows >= 0 else None,
            "files": side.files}  # fmt: skip


def _laid(folder: str, name: str, side: Side, adds: Iterable[Mapping[str, Any]]) -> str:
    return excerpt(Path(folder) / name, side.snapshot, side.root, adds)


def _unreadable() -> TableError:
    return TableError(
        "LL-STORE-009", "a version has a feature that deltalake can't read", fix="ask with --engine spark"
    )


class _Reader(Protocol):
    """An engine that has both excerpts."""

    def keep(self, name: str, sql: str) -> None:
        """Keep the rows of a query under a name."""

    def ask(self, sql: str) -> list[Row]:
        """Return the rows of a query."""


class _Delta:
    """deltalake's engine."""

    def __init__(self, paths: dict[str, str]) -> None:
        from deltalake import DeltaTable, QueryBuilder

        self._engine = QueryBuilder()
        for name, path in paths.items():
            self._engine.register(name, DeltaTable(path))

    def keep(self, name: str, sql: str) -> None:
        self._engine.execute(f"CREATE TABLE {name} AS {sql}").read_all()

    def ask(self, sql: str) -> list[Row]:
        found = self._engine.execute(sql).read_all()
        names = found.column_names
        values = [found.column(index).to_pylist() for index in range(len(names))]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


class _Spark:
    """Spark."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self.kept: list[Any] = []

    def keep(self, name: str, sql: str) -> None:
        frame = self._session.sql(sql).cache()
        self.kept.append(frame)
        frame.createOrReplaceTempView(name)

    def ask(self, sql: str) -> list[Row]:
        return [row.asDict(recursive=True) for row in self._session.sql(sql).collect()]


@contextmanager
def _spark(spark: SparkSession, paths: dict[str, str]) -> Iterator[_Spark]:
    from lakeloom.session.spark import step_session
    from lakeloom.tables.variants import as_text

    with step_session(spark) as session:
        for name, path in paths.items():
            as_text(session.read.format("delta").load(path)).createOrReplaceTempView(name)
        reader = _Spark(session)
        try:
            yield reader
        finally:
            for frame in reader.kept:
                frame.unpersist()


def _answers(reader: _Reader, words: Words, hidden: Sequence[str], examples: int, *, whole: bool) -> dict[str, Any]:
    """Return what the queries say, as the fields of `Comparison`."""
    reader.keep(NET, words.net())
    if words.keys:
        reader.keep(PAIRS, words.pairs())
    counted = {name: int(value or 0) for name, value in reader.ask(words.counts())[0].items()}
    if not any(counted.values()):
        return {"changed": 0 if words.keys else None}
    spread = _figures(words, {"before": "<", "after": ">"}, lambda sign: reader.ask(words.spread(sign)), hidden)
    found: dict[str, Any] = {"changed": None, **counted, "columns": {}, "spread": spread}
    if counted.get("changed") and words.values:
        differing = reader.ask(words.changed())[0]
        named = {each.name: int(differing[f"c{index}"] or 0) for index, each in enumerate(words.values)}
        found["columns"] = {name: count for name, count in sorted(named.items(), key=lambda each: -each[1]) if count}
    if whole:
        found["whole"] = _figures(
            words, {"before": OLD, "after": NEW}, lambda side: reader.ask(words.whole(side)), hidden
        )
    if examples:
        found["examples"] = _examples(reader, words, hidden, examples)
    return found


def _figures(
    words: Words, sides: Mapping[str, str], ask: Callable[[str], list[Row]], hidden: Collection[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return column → before and after → figure → value; of a hidden column how many, and no value."""
    rows = {name: ask(side)[0] for name, side in sides.items()}

    def of(index: int, column: Compared, row: Row) -> dict[str, Any]:
        told = FIGURES[:2] if column.name in hidden else FIGURES
        found = {name: row[f"{name}{index}"] for name in told if f"{name}{index}" in row}
        return found | {"nulls": int(found["nulls"] or 0)}

    return {
        column.name: {name: of(index, column, row) for name, row in rows.items()}
        for index, column in enumerate(words.compared)
    }


def _examples(reader: _Reader, words: Words, hidden: Sequence[str], limit: int) -> dict[str, list[Row]]:
    shown = [each.name for each in words.compared if each.name not in hidden]
    if not shown:
        return {}
    found = {name: reader.ask(words.examples(sign, shown, limit)) for name, sign in (("added", ">"), ("removed", "<"))}
    if not words.keys:
        return found
    keys = [name for name in words.keys if name in shown]
    changed = []
    for row in reader.ask(words.changes(shown, limit)):
        values = {
            each.name: [row[f"b{index}"], row[f"a{index}"]]
            for index, each in enumerate(words.values)
            if each.name in shown and row[f"b{index}"] != row[f"a{index}"]
        }
        changed.append({"key": {name: row[name] for name in keys}, "values": values})
    return found | {"changed": changed}
