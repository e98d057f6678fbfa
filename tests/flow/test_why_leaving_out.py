"""What `why` names is what a row is made of: checked by leaving rows out, on random inputs, against a model in memory.

Of each row of each table: the bronze rows that are named, and they alone, make the row. Where a row is made of each
of them (filters, joins, counts, sums, running sums, the winner of a window, a merge, of values above 0), leaving out any one changes or
removes it. Where a group collapses (max, DISTINCT) all rows of the group are named, and no single one need be missed:
a row that could have been the greatest has taken part. There, leaving out all of them removes the row.
"""

import random
from collections import defaultdict

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from tests.flow.stream import Stream

COLUMNS = {"g": "int", "id": "int", "k": "string", "v": "int"}
TABLES = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select 1 as every, g, id, k, v, _position from bronze.changes where v > 0
    keys: [g, id]
    write: {mode: merge, sequence_by: _position}
  gold.sums:
    from: {silver.items: whole}
    sql: select 1 as every, g, k, count(*) as n, sum(v) as v from silver.items group by g, k
  gold.pairs:
    from: {silver.items: whole}
    sql: >-
      select 1 as every, a.g, a.id, b.id as other, b.v from silver.items a
      left join silver.items b on a.g = b.g and a.k = b.k and a.id < b.id
  gold.windows:
    from: {silver.items: whole}
    sql: >-
      select 1 as every, 'sum' as what, g, id, sum(v) over (partition by g order by id) as v from silver.items
      union all select 1, 'best', g, id, v from (
      select g, k, id, v, row_number() over (partition by g, k order by v desc, id) as place from silver.items)
      where place = 1
  gold.tops:
    from: {silver.items: whole}
    sql: >-
      select 1 as every, g, k, max(v) as v from (select distinct g, k, v from silver.items) group by g, k
"""
COLLAPSED = ("gold.tops",)


def standing(bronze):
    """Return the bronze rows that stand in silver: the newest of each key."""
    newest = {(row["g"], row["id"]): place for place, row in sorted(bronze.items()) if row["v"] > 0}
    return {place: bronze[place] for place in newest.values()}


def model(bronze):
    """Return table → the rows that the SQL above makes of bronze rows, place → row."""
    items = {(row["g"], row["id"]): row for row in standing(bronze).values()}
    groups = defaultdict(list)
    for (g, _), row in sorted(items.items()):
        groups[g, row["k"]].append(row)
    pairs, windows = set(), set()
    for (g, key), row in items.items():
        later = [(g, key, other["id"], other["v"]) for other in groups[g, row["k"]] if other["id"] > key]
        pairs |= set(later) or {(g, key, None, None)}
        windows.add(("sum", g, key, sum(other["v"] for (of, at), other in items.items() if of == g and at <= key)))
    for (g, _), rows in groups.items():
        best = min(rows, key=lambda row: (-row["v"], row["id"]))
        windows.add(("best", g, best["id"], best["v"]))
    return {
        "silver.items": {(g, key, row["k"], row["v"]) for (g, key), row in items.items()},
        "gold.sums": {(g, k, len(rows), sum(row["v"] for row in rows)) for (g, k), rows in groups.items()},
        "gold.pairs": pairs,
        "gold.windows": windows,
        "gold.tops": {(g, k, max(row["v"] for row in rows)) for (g, k), rows in groups.items()},
    }


def without(bronze, places):
    return {place: row for place, row in bronze.items() if place not in places}


def drawn(chance, groups):
    """Return the rows of one file: of each group a small random input of its own."""
    return [
        {"g": g, "id": chance.randint(1, 4), "k": chance.choice("ab"), "v": chance.randint(0, 3)}
        for g in range(groups)
        for _ in range(chance.randint(0, 4))
    ]


@pytest.mark.parametrize(
    ("seed", "tables", "runs"),
    [
        (1, TABLES.partition("  gold.pairs:")[0], [[]]),
        *(pytest.param(seed, TABLES, [["+silver.items"], []], marks=pytest.mark.long) for seed in range(2, 8)),
    ],
)
def test_what_is_named_makes_the_row_and_nothing_that_is_named_can_be_left_out(
    tmp_path, spark, monkeypatch, seed, tables, runs
):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream, chance, bronze = Stream(tmp_path, COLUMNS, tables), random.Random(seed), {}
    for epoch, steps in enumerate(runs, 1):
        rows = drawn(chance, 8)
        stream.drop(*rows)
        stream.done(*steps)
        bronze |= {(epoch, record): row for record, row in enumerate(rows)}
    lake = open_lakehouse(stream.home / "conf")
    for table, rows in model(bronze).items():
        if f"  {table}:" not in tables:
            continue
        found = lake.why(table, {"every": "1"}, limit=10_000)
        told = {tuple(value for name, value in each.values.items() if name != "every"): each for each in found.rows}
        assert told.keys() == rows, table
        for row, reason in told.items():
            assert all(each.reproduced is not False for each in reason.all()), (table, row)
            named = {tuple(each.place["position"].values())[::2] for each in reason.all() if each.place}
            assert row in model(without(bronze, bronze.keys() - named))[table], (table, row, named)
            if table in COLLAPSED:
                assert row not in model(without(standing(bronze), named))[table], (table, row, named)
                continue
            for place in named:
                assert row not in model(without(bronze, bronze.keys() - named | {place}))[table], (table, row, place)
