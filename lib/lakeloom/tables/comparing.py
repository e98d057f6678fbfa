"""How two versions of a table differ, as SQL over the files that they do not share: pure texts, no engine.

A row counts once for the newer version and once against the older one; what is left after they are added
up is what differs, whatever was only moved from file to file. With keys, a row that is left on both sides
is a changed one, and its columns are compared; without keys there are only rows that came and went.

The words are those that DataFusion and Spark share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lakeloom.store.types import spark_type

OLD, NEW, NET, PAIRS = "_old", "_new", "_net", "_pairs"
# All rows of either version, where they are asked for.
ALL = {OLD: "_all_old", NEW: "_all_new"}
_TIMES = "__n"
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_ORDERED = (*_NUMBERS, "date", "timestamp")
# By an engine's quotes: what estimates the number of distinct values, and the median.
_ESTIMATES = {
    '"': ("approx_distinct(CAST({} AS varchar))", "approx_median({})"),  # of texts alone, of all that are plain
    "`": ("approx_count_distinct({}, 0.02)", "percentile_approx({}, 0.5)"),
}


@dataclass(frozen=True)
class SchemaChange:
    """What became of the columns.

    Attributes
    ----------
    added, dropped : dict
        Column → type.
    retyped : dict
        Column → (type before, type after).
    renamed : dict
        Name before → name after; only tables with mapped columns tell.
    """

    added: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    retyped: dict[str, tuple[str, str]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """A column that both versions have.

    Attributes
    ----------
    before, name : str
        What it is called in the older and in the newer version.
    kind : str
        The type in the newer one.
    cast : str
        What both are cast to, where their types differ.
    """

    before: str
    name: str
    kind: str
    cast: str = ""

    @property
    def orders(self) -> bool:
        """Whether least and greatest values can be told of it."""
        return self.kind.startswith(_ORDERED) and self.cast != "string"

    @property
    def counts(self) -> bool:
        """Whether a mean can be told of it."""
        return self.kind.startswith(_NUMBERS) and self.cast != "string"

    @property
    def plain(self) -> bool:
        """Whether its values can be counted: it is no struct, list, map, variant or bytes."""
        return not self.kind.startswith(("struct", "array", "map", "variant", "binary"))


def columns(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], keys: Collection[str]
) -> tuple[SchemaChange, list[Compared]]:
    """Return what became of the columns, and those that can be compared.

    Columns whose names begin with an underscore tell where a row comes from and when it was read; they differ in
    every build of the same rows, so only their types are compared, unless they are keys.

    Parameters
    ----------
    before, after : sequence of mapping
        Fields of a schema as Delta writes them.
    """
    old = {_place(each): each for each in before}
    new = {_place(each): each for each in after}
    kinds = {place: (spark_type(old[place]["type"]), spark_type(new[place]["type"])) for place in new if place in old}
    change = SchemaChange(
        added={each["name"]: spark_type(each["type"]) for place, each in new.items() if place not in old},
        dropped={each["name"]: spark_type(each["type"]) for place, each in old.items() if place not in new},
        retyped={new[place]["name"]: pair for place, pair in kinds.items() if pair[0] != pair[1]},
        renamed=renames(before, after),
    )
    found = []
    for place, (was, now) in kinds.items():
        name = new[place]["name"]
        if name.startswith("_") and name not in keys:
            continue
        cast = _common(was, now)
        if cast is not None:
            found.append(Compared(old[place]["name"], name, now, cast))
    return change, found


def renames(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what became of columns' names: before → after, of those that are called otherwise."""
    old = {_place(each): each["name"] for each in before}
    now = {_place(each): each["name"] for each in after}
    return {old[place]: name for place, name in now.items() if place in old and old[place] != name}


def _place(column: Mapping[str, Any]) -> str:
    """Return what a column is told by through renames: its name in the files.

    Where columns are mapped that is not its own; where they were mapped later on, it is the name from before.
    """
    return str((column.get("metadata") or {}).get("delta.columnMapping.physicalName") or column["name"])


def _common(was: str, now: str) -> str | None:
    """Return what values of two types are compared as: empty for as they are, None where they can't be."""
    if was == now:
        return ""
    if was.startswith(_NUMBERS) and now.startswith(_NUMBERS):
        return now
    nested = ("struct", "array", "map", "variant", "binary")
    return None if was.startswith(nested) or now.startswith(nested) else "string"


@dataclass(frozen=True)
class Words:
    """The queries, in the quotes of an engine.

    Parameters
    ----------
    compared : sequence of Compared
        At least the keys.
    keys : sequence of str
        By their names in the newer version; none where rows have no key.
    quote : str
        ``"`` for DataFusion, `````  for Spark.
    """

    compared: Sequence[Compared]
    keys: Sequence[str]
    quote: str = '"'

    def net(self) -> str:
        """Return the rows that are left: the compared columns, and how often a row came (or, below 0, went)."""
        names = ", ".join(self._name(each.name) for each in self.compared)
        new = ", ".join(f"{self._value(each, each.name)} AS {self._name(each.name)}" for each in self.compared)
        old = ", ".join(f"{self._value(each, each.before)} AS {self._name(each.name)}" for each in self.compared)
        times = self._name(_TIMES)
        return (
            f"SELECT {names}, sum({times}) AS {times} FROM (SELECT {new}, 1 AS {times} FROM {NEW}"  # noqa: S608 - quoted
            f" UNION ALL SELECT {old}, -1 AS {times} FROM {OLD}) AS u GROUP BY {names} HAVING sum({times}) <> 0"
        )

    def pairs(self) -> str:
        """Return, for each key, how many rows came and how many went."""
        names = ", ".join(map(self._name, self.keys))
        return f"SELECT {names}, {self._came()} AS __came, {self._went()} AS __went FROM {NET} GROUP BY {names}"  # noqa: S608

    def counts(self) -> str:
        """Return added, removed and, with keys, changed rows."""
        if not self.keys:
            return f"SELECT {self._came()} AS added, {self._went()} AS removed FROM {NET}"  # noqa: S608
        both = "least(__came, __went)"
        added, removed = f"sum(__came - {both}) AS added", f"sum(__went - {both}) AS removed"
        return f"SELECT {added}, {removed}, sum({both}) AS changed FROM {PAIRS}"  # noqa: S608 - constants

    def changed(self) -> str:
        """Return, for each compared column that is no key, in how many changed rows it differs."""
        told = []
        for index, each in enumerate(self.values):
            after, before = self._told_apart("a", each), self._told_apart("b", each)
            told.append(f"sum(CASE WHEN {after} IS DISTINCT FROM {before} THEN 1 ELSE 0 END) AS c{index}")
        return f"SELECT {', '.join(told)} FROM {self._matched()}"  # noqa: S608 - quoted

    def spread(self, sign: str) -> str:
        """Return nulls, distinct values, least, greatest and mean of each compared column of one side.

        Parameters
        ----------
        sign : str
            ``>`` for the rows that came, ``<`` for those that went.
        """
        times, told = f"abs({self._name(_TIMES)})", []
        for index, each in enumerate(self.compared):
            name = self._name(each.name)
            told.append(f"sum(CASE WHEN {name} IS NULL THEN {times} ELSE 0 END) AS nulls{index}")
            if each.plain:
                told.append(f"count(DISTINCT {name}) AS distinct{index}")
            if each.orders:
                told += [f"min({name}) AS min{index}", f"max({name}) AS max{index}"]
            if each.counts:
                value = f"CAST({name} AS double)"
                total = f"sum(CASE WHEN {name} IS NULL THEN 0 ELSE {times} END)"
                told.append(f"sum({value} * {times}) / nullif({total}, 0) AS mean{index}")
        return f"SELECT {', '.join(told)} FROM {NET} WHERE {self._name(_TIMES)} {sign} 0"  # noqa: S608 - quoted

    def whole(self, side: str) -> str:
        """Return how each compared column is distributed over all rows of one side (`OLD` or `NEW`).

        As `spread`, and the standard deviation and the median of numbers; distinct values and median are estimates,
        in one pass and little memory.
        """
        distinct, median = _ESTIMATES[self.quote]
        named = [(each.before if side == OLD else each.name, each) for each in self.compared]
        told = []
        for index, (name, each) in enumerate(named):
            value = self._value(each, name)
            told.append(f"sum(CASE WHEN {self._name(name)} IS NULL THEN 1 ELSE 0 END) AS nulls{index}")
            if each.plain:
                told.append(f"{distinct.format(value)} AS distinct{index}")
            if each.orders:
                told += [f"min({value}) AS min{index}", f"max({value}) AS max{index}"]
            if each.counts:
                number = f"CAST({value} AS double)"
                told += [f"avg({number}) AS mean{index}", f"stddev({number}) AS deviation{index}"]
                told.append(f"{median.format(number)} AS median{index}")
        return f"SELECT {', '.join(told)} FROM {ALL[side]}"  # noqa: S608 - quoted

    def examples(self, sign: str, shown: Sequence[str], limit: int) -> str:
        """Return rows that came (``>``) or went (``<``), without those that only changed, in a fixed order."""
        names = ", ".join(f"{NET}.{self._name(name)} AS {self._name(name)}" for name in shown)
        beside, where = "", f"{NET}.{self._name(_TIMES)} {sign} 0"
        if self.keys:
            beside = f" JOIN {PAIRS} ON {self._same(PAIRS, NET)}"
            where += f" AND {PAIRS}.{'__went' if sign == '>' else '__came'} = 0"
        order = [name for name in self.keys if name in shown] or self._sortable(shown)
        return f"SELECT {names} FROM {NET}{beside} WHERE {where}{self._ordered(NET, order)} LIMIT {limit}"  # noqa: S608 - quoted

    def changes(self, shown: Sequence[str], limit: int) -> str:
        """Return changed rows: each shown key, and each other shown column before (``b<i>``) and after (``a<i>``)."""
        keys = [f"a.{self._name(name)} AS {self._name(name)}" for name in self.keys if name in shown]
        pairs = [
            f"b.{self._name(each.name)} AS b{index}, a.{self._name(each.name)} AS a{index}"
            for index, each in enumerate(self.values)
            if each.name in shown
        ]
        told = ", ".join([*keys, *pairs]) or "1 AS one"
        order = self._ordered("a", [name for name in self.keys if name in shown])
        return f"SELECT {told} FROM {self._matched()}{order} LIMIT {limit}"  # noqa: S608 - quoted

    @property
    def values(self) -> list[Compared]:
        """The compared columns that are no keys."""
        return [each for each in self.compared if each.name not in self.keys]

    def _matched(self) -> str:
        """Return the changed rows whose key stands once on either side, as ``a`` (after) and ``b`` (before)."""
        times = self._name(_TIMES)
        return (
            f"{NET} AS a JOIN {NET} AS b ON {self._same('a', 'b')} JOIN {PAIRS} ON {self._same('a', PAIRS)}"
            f" WHERE a.{times} = 1 AND b.{times} = -1 AND {PAIRS}.__came = 1 AND {PAIRS}.__went = 1"
        )

    def _told_apart(self, side: str, column: Compared) -> str:
        """Return a value as what it is compared as: Spark compares no maps, only what is written of them."""
        value = f"{side}.{self._name(column.name)}"
        if self.quote == '"' or "map<" not in column.kind:
            return value
        plain = column.kind.startswith("map<") and column.kind.count("map<") == 1
        return f"to_json(struct({f'array_sort(map_entries({value}))' if plain else value}))"

    def _same(self, one: str, other: str) -> str:
        # In brackets: DataFusion takes what stands behind FROM as one expression, AND and all.
        return " AND ".join(
            f"({one}.{self._name(name)} IS NOT DISTINCT FROM {other}.{self._name(name)})" for name in self.keys
        )

    def _sortable(self, shown: Sequence[str]) -> list[str]:
        return [each.name for each in self.compared if each.plain and each.name in shown]

    def _ordered(self, place: str, names: Sequence[str]) -> str:
        return f" ORDER BY {', '.join(f'{place}.{self._name(name)}' for name in names)}" if names else ""

    def _came(self) -> str:
        times = self._name(_TIMES)
        return f"sum(CASE WHEN {times} > 0 THEN {times} ELSE 0 END)"

    def _went(self) -> str:
        times = self._name(_TIMES)
        return f"sum(CASE WHEN {times} < 0 THEN -{times} ELSE 0 END)"

    def _value(self, column: Compared, name: str) -> str:
        if not column.cast:
            return self._name(name)
        kind = column.cast
        if self.quote == '"':  # DataFusion knows the types of Arrow and PostgreSQL
            kind = {"string": "varchar", "tinyint": "smallint"}.get(kind, kind)
        return f"CAST({self._name(name)} AS {kind})"

    def _name(self, column: str) -> str:
        return self.quote + column.replace(self.quote, self.quote * 2) + self.quote
