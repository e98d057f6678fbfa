"""Structs to columns, arrays and maps to rows, and what is counted where rows become several."""

import random

import pytest

from lakeloom.core.errors import CleansingError

SCHEMA = "id int, `a.b` struct<`x y`:int, in:struct<deep:struct<z:string>, l:array<int>>>, other string"


def test_structs_become_columns_as_deep_as_is_said(cleansed):
    rows = [(1, (5, (("q",), [1])), "o"), (2, None, "o"), (3, (None, None), None)]
    out = cleansed(rows, SCHEMA, [{"flatten": ["a.b"]}])
    assert out.columns == ["id", "a.b_x y", "a.b_in_deep_z", "a.b_in_l", "other"]
    assert [tuple(row[name] for name in out.columns[1:4]) for row in out.rows] == [
        (5, "q", [1]),
        (None,) * 3,
        (None,) * 3,
    ]
    assert out.changed == {"1_flatten": 2}
    shallow = cleansed(
        rows, SCHEMA, [{"flatten": {"columns": "a.b", "depth": 1, "separator": "."}}, {"flatten": "a.b.in"}]
    )
    assert shallow.columns == ["id", "a.b.x y", "a.b.in_deep_z", "a.b.in_l", "other"]


@pytest.mark.parametrize(
    ("schema", "verb", "says"),
    [
        ("a int", {"flatten": "a"}, "'a' is int, no struct"),
        ("a struct<B:int>, a_b int", {"flatten": "a"}, "two columns would be called 'a_b'"),
        ("a string", {"explode": "a"}, "'a' is string, neither array nor map"),
    ],
)
def test_what_is_not_nested_or_would_collide(cleansed, schema, verb, says):
    with pytest.raises(CleansingError, match=says):
        cleansed([], schema, [verb])


def test_items_become_rows_none_is_lost_and_counts_stay_true(cleansed):
    chance = random.Random(6)
    lists = [
        None,
        [],
        [None],
        ["x"],
        *[[chance.choice(["x", " y", None]) for _ in range(chance.randrange(6))] for _ in range(80)],
    ]
    rows = [(number, " n", items) for number, items in enumerate(lists)]
    verbs = [{"trim": "name"}, {"explode": {"column": "it ems", "position": "no"}}, {"trim": "it ems"}]
    out = cleansed(rows, "id int, name string, `it ems` array<string>", verbs)
    wanted = [
        (number, item and item.strip(), place)
        for number, items in enumerate(lists)
        for place, item in (enumerate(items) if items else [(None, None)])
    ]
    assert sorted(((row["id"], row["it ems"], row["no"]) for row in out.rows), key=str) == sorted(wanted, key=str)
    added = sum(len(items) - 1 for items in lists if items)
    assert out.changed == {
        "1_trim": len(lists),
        "2_explode": added,
        "3_trim": sum(item == " y" for items in lists for item in items or []),
    }
    assert out.columns == ["id", "name", "it ems", "no"]


def test_maps_become_rows_of_key_and_value(cleansed):
    rows = [(1, {"a": 1, "b": None}), (2, {}), (3, None)]
    out = cleansed(rows, "id int, m map<string,int>", [{"explode": "m"}])
    assert sorted((row["id"], row["m_key"] or "", row["m"]) for row in out.rows) == [
        (1, "a", 1),
        (1, "b", None),
        (2, "", None),
        (3, "", None),
    ]
    named = cleansed(
        rows,
        "id int, m map<string,int>",
        [{"explode": {"column": "m", "key": "k", "into": "v", "position": "at"}}, {"drop": "m"}],
    )
    assert named.columns == ["id", "k", "v", "at"] or set(named.columns) == {"id", "k", "v", "at"}
    assert named.changed == {"1_explode": 1, "2_drop": 0}
