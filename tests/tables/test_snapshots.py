"""Whole states of a source against a model: what a state lacks is gone, what it repeats is no change."""

import random

from lakeloom.tables.snapshots import changes, newest_state, refuse_late

SCHEMA = "world int, k string, day int, a string, _position bigint"


def model(before, states):
    """Return the changes (key, day, value or None for a deletion) of one world's states, in order."""
    found = []
    for day, state in states:
        found += [(key, day, value) for key, value in state.items() if before.get(key, (0,)) != value]
        found += [(key, day, None) for key in before if key not in state]
        before = state
    return found


def state_of(chance):
    return {key: (chance.choice(["x", "y", None]),) for key in "abcd" if chance.random() < 0.6}


def test_changes_are_those_between_the_states(spark):
    chance = random.Random(5)
    live, rows, wanted = [], [], []
    days = (3, 5, 9)
    for world in range(120):
        before = state_of(chance)
        states = [(day, state_of(chance)) for day in days]
        live += [(world, key, 1, value[0], 0) for key, value in before.items()]
        rows += [(world, key, day, value[0], day) for day, state in states for key, value in state.items()]
        wanted += [(world, *change) for change in model(before, states)]
    frame, there = spark.createDataFrame(rows, SCHEMA), spark.createDataFrame(live, SCHEMA)
    found = changes(frame, ("world", "k"), "day", there)
    told = [(r["world"], r["k"], r["day"], None if r["_deleted"] else (r["a"],)) for r in found.collect()]
    assert sorted(told, key=str) == sorted(wanted, key=str)
    assert any(change[3] is None for change in wanted) and any(change[2] == 9 for change in wanted)


def test_without_a_table_the_first_state_is_all_new(spark):
    frame = spark.createDataFrame([(1, "a", 1, "x", 0), (1, "b", 1, "x", 0), (1, "a", 2, "x", 0)], SCHEMA)
    found = [(r["k"], r["day"], r["_deleted"]) for r in changes(frame, ("world", "k"), "day", None).collect()]
    assert sorted(found) == [("a", 1, False), ("b", 1, False), ("b", 2, True)]


def test_a_state_that_is_not_later_than_the_last_goes_to_quarantine(spark):
    frame = spark.sql("select * from values (date'2026-01-02'), (date'2026-01-10') as t(day)")
    last = newest_state(frame.where("day < '2026-01-10'"), "day")
    found = (
        refuse_late(frame.union(frame.limit(1).selectExpr("date'2025-12-31'")), "day", last).orderBy("day").collect()
    )
    assert [row["_faults"] for row in found] == [["late snapshot"], ["late snapshot"], []]
    assert newest_state(frame.where("false"), "day") is None
