"""Several sources that say different things of one key → one row, by a resolution declared column by column.

Every source gives at most one row a key (its newest, where it says which is newer). A column takes its
value from one of them; a source that says NULL says nothing. What the others said stays inspectable,
as rows of a table of its own: key, column, who won, who lost, and both values.

``priority``: the first source, in an order, that says something. ``newest``: the one whose row is
newest. ``complete``: the one whose row says the most. ``expression``: SQL over the sources by their
names, such as ``coalesce(crm.phone, shop.phone)``. Ties go by the order of the sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from lakeloom.core.errors import TableError
from lakeloom.core.names import quoted
from lakeloom.quality.conditions import fault
from lakeloom.tables.casts import lossless, meet
from lakeloom.tables.words import Strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import Column, DataFrame

LOSERS = ("column", "winner", "winning", "loser", "losing")


class Resolution(Strict):
    """How one column is decided: by a rule, with an order of its own, or by an expression."""

    by: Literal["priority", "newest", "complete"] | None = None
    order: tuple[str, ...] = ()
    expression: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"by": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _one(self) -> Resolution:
        if (self.by is None) == (self.expression is None):
            raise ValueError("either by (priority, newest, complete) or expression is wanted")
        problem = fault(self.expression) if self.expression else None
        if problem:
            raise ValueError(problem)
        return self


class SourceOrder(Strict):
    """One of the sources.

    Attributes
    ----------
    name : str
        What it is called in orders, expressions and the table of those that lost.
    newer_by : str, optional
        The column of its rows by which one is newer than another.
    """

    name: str
    newer_by: str | None = None


class ResolveSpec(Strict):
    """``resolve:`` of a table.

    Attributes
    ----------
    sources : dict
        Input → its name, and the column by which its rows are newer; in the order of priority.
    columns : dict
        Column → how it is decided.
    otherwise : Resolution
        For the columns that are not named.
    losers : str, optional
        The table that keeps what was not taken.
    """

    sources: dict[str, SourceOrder]
    columns: dict[str, Resolution] = {}
    otherwise: Resolution = Resolution(by="priority")
    losers: str | None = None

    @model_validator(mode="after")
    def _names_are_known(self) -> ResolveSpec:
        names = [source.name for source in self.sources.values()]
        if len(set(names)) < len(names):
            raise ValueError("two sources have one name")
        for column, way in (*self.columns.items(), ("otherwise", self.otherwise)):
            unknown = [name for name in way.order if name not in names]
            if unknown:
                raise ValueError(f"{column}: {', '.join(unknown)} is none of the sources {', '.join(names)}")
            if way.by == "newest" and not all(source.newer_by for source in self.sources.values()):
                raise ValueError(f"{column}: newest wants newer_by of every source")
        return self


@dataclass(frozen=True)
class Resolved:
    """One row a key, and what was not taken.

    Attributes
    ----------
    rows : DataFrame
        Keys and columns.
    losers : DataFrame
        Keys, column, winner, winning, loser, losing: one row for each value that was not taken and is another one,
        values as text; the winner is NULL where an expression gave what no source said.
    """

    rows: DataFrame
    losers: DataFrame


def resolve(
    inputs: Mapping[str, DataFrame], spec: ResolveSpec, keys: Sequence[str], columns: Sequence[str], where: str = ""
) -> Resolved:
    """Return one row for each key that any source has.

    Parameters
    ----------
    inputs : mapping
        The sources' rows; each has the keys and some of the columns.
    columns : sequence of str
        The table's columns, its keys among them or not.

    Raises
    ------
    TableError
        LL-TABLE-003 where a source lacks a key or its `newer_by`, or no source has a column.
    """
    from pyspark.sql import functions as F

    names = {table: source.name for table, source in spec.sources.items()}
    values = [name for name in columns if name not in keys]
    types = _types(inputs, spec, keys, values, where)
    united = None
    for index, (table, source) in enumerate(spec.sources.items()):
        frame = inputs[table]
        said = [
            (F.col(quoted(name)) if name in frame.columns else F.lit(None)).cast(types[name]).alias(name)
            for name in values
        ]
        at = _sortable(frame, source.newer_by) if source.newer_by else F.lit(None).cast("string")
        filled = sum((F.when(part.isNotNull(), 1).otherwise(0) for part in said), F.lit(0))
        row = F.struct(*said, at.alias("_at"), filled.alias("_filled"))
        part = frame.select(*[F.col(quoted(key)) for key in keys], F.lit(index).alias("_source"), row.alias("_row"))
        united = part if united is None else united.unionByName(part)
    assert united is not None  # a project's inputs are never none
    newest = F.struct(F.col("_row._at"), F.xxhash64(F.to_json("_row")))
    picked = [
        F.max_by(F.when(F.col("_source") == index, F.col("_row")), F.when(F.col("_source") == index, newest)).alias(
            name
        )
        for index, name in enumerate(names.values())
    ]
    sides = united.groupBy(*[quoted(key) for key in keys]).agg(*picked)
    order = list(names.values())
    decided, told = [], []
    for name in values:
        way = spec.columns.get(name, spec.otherwise)
        winner, value = _decided(way, name, order, types[name])
        decided += [value.alias(name)]
        told.append(_losers(name, winner, value, order, types[name]))
    chosen = sides.select(*[F.col(quoted(key)) for key in keys], *decided, F.flatten(F.array(*told)).alias("_lost"))
    lost = chosen.select(*[F.col(quoted(key)) for key in keys], F.explode("_lost").alias("_one"))
    losers = lost.select(*[F.col(quoted(key)) for key in keys], *[F.col(f"_one.{part}").alias(part) for part in LOSERS])
    return Resolved(chosen.drop("_lost"), losers)


def counted(losers: DataFrame) -> list[dict[str, Any]]:
    """Return how often who won what against whom: column, winner, loser, rows; the most contested first."""
    from pyspark.sql import functions as F

    found = losers.groupBy("column", "winner", "loser").agg(F.count("*").alias("rows"))
    return [row.asDict() for row in found.orderBy(F.desc("rows"), "column", "winner", "loser").collect()]


def _types(
    inputs: Mapping[str, DataFrame], spec: ResolveSpec, keys: Sequence[str], values: Sequence[str], where: str
) -> dict[str, str]:
    """Return the type of each column: one that holds what every source says; what the contract wants comes later."""
    found: dict[str, dict[str, str]] = {}
    for table, source in spec.sources.items():
        there = dict(inputs[table].dtypes)
        lacking = [name for name in (*keys, source.newer_by) if name and name not in there]
        if lacking:
            raise TableError(
                "LL-TABLE-003",
                f"{where}: {table} has no {', '.join(lacking)}",
                where=where,
                fix="mend resolve: or keys:",
            )
        for name in values:
            if name in there:
                found.setdefault(name, {})[table] = there[name]
    nobody = [name for name in values if name not in found]
    if nobody:
        raise TableError(
            "LL-TABLE-003", f"{where}: no source has {', '.join(nobody)}", where=where, fix="mend columns:"
        )
    return {name: _common(inputs, name, kinds, where) for name, kinds in found.items()}


def _common(inputs: Mapping[str, DataFrame], name: str, kinds: Mapping[str, str], where: str) -> str:
    """Return the type in which what the sources say of a column meets; raises LL-TABLE-007 where there is none."""
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F

    several = sorted(set(kinds.values()))
    for kind in several:
        if all(lossless(other, kind) for other in several):
            return kind
    if "string" in several and all(meet(kind, "string") for kind in several):
        return "string"  # Spark would read the texts as the other type, and fail at the first that is none
    try:
        both = F.coalesce(*(F.lit(None).cast(kind) for kind in several))
        return next(iter(inputs.values())).select(both.alias(name)).dtypes[0][1]
    except AnalysisException:
        told = " and ".join(f"{kind} in {table}" for table, kind in kinds.items())
        raise TableError(
            "LL-TABLE-007", f"{where}: {name} is {told}", where=where, fix="give it one type in all of them"
        ) from None


_PLACES = "decimal(37,17)"


def _sortable(frame: DataFrame, name: str) -> Column:
    """Return a column as text that sorts as its values do: sources may tell newer rows by other types."""
    from pyspark.sql import functions as F

    value, kind = F.col(quoted(name)), dict(frame.dtypes)[name]
    if kind in ("date", "timestamp", "timestamp_ntz"):
        return F.date_format(value.cast("timestamp"), "yyyy-MM-dd HH:mm:ss.SSSSSS")
    if kind in ("tinyint", "smallint", "int", "bigint", "float", "double") or kind.startswith("decimal"):
        # Moved above zero, so that text of one length sorts as the numbers do; none is beyond what a BIGINT holds.
        moved = value.try_cast(_PLACES) + F.lit(str(2**63)).cast(_PLACES)
        return F.when(moved >= 0, F.lpad(moved.cast("string"), 40, "0"))
    return value.cast("string")


def _decided(way: Resolution, name: str, order: Sequence[str], kind: str) -> tuple[Column, Column]:
    """Return who wins a column, and its value."""
    from pyspark.sql import functions as F

    ranked = [*way.order, *(source for source in order if source not in way.order)]
    if way.expression is not None:
        value = F.expr(way.expression).cast(kind)
        same = [F.when(F.col(f"{quoted(s)}.{quoted(name)}").eqNullSafe(value), F.lit(s)) for s in ranked]
        return F.when(value.isNotNull(), F.coalesce(*same)), value
    candidates = []
    for place, source in enumerate(ranked):
        value = F.col(f"{quoted(source)}.{quoted(name)}")
        rank = {
            "priority": F.lit(0),
            "newest": F.col(f"{quoted(source)}._at"),
            "complete": F.col(f"{quoted(source)}._filled"),
        }[way.by or "priority"]
        entry = F.struct(rank.alias("rank"), F.lit(-place).alias("place"), F.lit(source).alias("source"))
        candidates.append(F.when(value.isNotNull(), entry))
    winner = F.array_max(F.array(*candidates)).getField("source")
    value = F.coalesce(*[F.when(winner == s, F.col(f"{quoted(s)}.{quoted(name)}")) for s in ranked])
    return winner, value


def _losers(name: str, winner: Column, value: Column, order: Sequence[str], kind: str) -> Column:
    from pyspark.sql import functions as F

    entries = []
    for source in order:
        said = F.col(f"{quoted(source)}.{quoted(name)}")
        parts = (F.lit(name), winner, _text(value, kind), F.lit(source), _text(said, kind))
        entry = F.struct(*[part.alias(word) for part, word in zip(parts, LOSERS, strict=True)])
        entries.append(F.when(said.isNotNull() & ~said.eqNullSafe(value), entry))
    return F.array_compact(F.array(*entries))


def _text(value: Column, kind: str) -> Column:
    from pyspark.sql import functions as F

    if kind.startswith("decimal("):
        return value.cast("string")  # a number in JSON is read as a double, which has no place for all of its digits
    return F.get_json_object(F.to_json(F.struct(value.alias("v"))), "$.v")
