"""History by key against a model in plain Python, for random changes that come in any order and any batches."""

import random

import pytest

from lakeloom.tables.history import chain, difference

SCHEMA = "world int, k string, seq bigint, a string, b int, _deleted boolean"
VALUES = [None, "x", "y"]


def model(changes):
    """Return the versions that one key's changes come to: (from, to, a, b), in order."""
    by_place = {}
    for _, _, seq, a, b, deleted in changes:  # in the order of arrival
        by_place[seq] = (deleted, a, b)
    steps, before = [], None
    for seq in sorted(by_place):
        state = by_place[seq] if not by_place[seq][0] else (True, None, None)
        if state != before:
            steps.append((seq, state))
        before = state
    ends = [seq for seq, _ in steps[1:]] + [None]
    return [(seq, end, a, b) for (seq, (gone, a, b)), end in zip(steps, ends, strict=True) if not gone]


def random_changes(chance, count):
    """Return changes of many worlds; in each the changes of two keys, with repetitions, deletions and late ones."""
    found = []
    for world in range(count):
        for key in ("k", "ü `q`"):
            for _ in range(chance.randint(0, 7)):
                deleted = chance.random() < 0.25
                found.append((world, key, chance.randint(1, 6), chance.choice(VALUES), chance.randint(0, 1), deleted))
    return found


def versions(rows):
    found = {}
    for row in rows:
        found.setdefault((row["world"], row["k"]), []).append((row["valid_from"], row["valid_to"], row["a"], row["b"]))
        assert row["is_current"] == (row["valid_to"] is None)
    return {key: sorted(rows, key=lambda row: row[0]) for key, rows in found.items()}


@pytest.mark.parametrize("seed", range(3))
def test_in_whatever_batches_changes_come_the_versions_are_those_of_the_model(spark, seed):
    chance = random.Random(seed)
    batches = [random_changes(chance, 150) for _ in range(3)]
    table, aside = [], []
    types = None
    for batch in batches:
        # A place of the sequence that one batch holds twice is decided by the values: the model sees one of them.
        frame = spark.createDataFrame(batch, SCHEMA).dropDuplicates(["world", "k", "seq"]).persist()
        existing = spark.createDataFrame(table, types) if types else None
        kept = spark.createDataFrame(aside, SCHEMA) if types else None
        made = chain(frame, ("world", "k"), "seq", existing=existing, aside=kept)
        touched = {(row["world"], row["k"]) for row in frame.select("world", "k").distinct().collect()}
        batch[:] = [tuple(row) for row in frame.collect()]
        new = made.versions.collect()
        if types:
            by = lambda row: (row["world"], row["k"], row["valid_from"])  # noqa: E731
            changed = difference(made.versions, existing.join(frame.select("world", "k").distinct(), ["world", "k"]),
                                 ("world", "k", "valid_from")).collect()  # fmt: skip
            result = {by(row): tuple(row) for row in (spark.createDataFrame(table, types).collect())}
            for row in changed:
                written = tuple(row[name] for name in existing.columns)
                assert row["_deleted"] == (by(row) not in {by(each) for each in new})
                assert result.get(by(row)) != written or row["_deleted"], "nothing that is equal is written"
                result.pop(by(row), None)
                if not row["_deleted"]:
                    result[by(row)] = written
            wanted = {by(row): tuple(row[name] for name in existing.columns) for row in new}
            assert {key: row for key, row in result.items() if key[:2] in touched} == wanted
        types = made.versions.schema
        table = [row for row in table if (row["world"], row["k"]) not in touched] + new
        aside = [row for row in aside if (row[0], row[1]) not in touched] + [
            tuple(row[name] for name in ("world", "k", "seq", "a", "b", "_deleted")) for row in made.aside.collect()
        ]
        frame.unpersist()
    changes = {}
    for batch in batches:
        for row in batch:
            changes.setdefault((row[0], row[1]), []).append(row)
    wanted = {key: found for key, rows in changes.items() if (found := model(rows))}
    assert versions(table) == wanted
    assert any(len(found) > 2 for found in wanted.values()) and any(row[5] for row in aside)


def test_the_current_row_of_a_key_is_its_last_version_or_a_deletion(spark):
    rows = [
        (1, "k", 1, "x", 0, False),
        (1, "k", 3, None, None, True),
        (1, "k", 2, "y", 0, False),
        (2, "k", 1, "x", 0, False),
    ]
    made = chain(spark.createDataFrame(rows, SCHEMA), ("world", "k"), "seq")
    found = {row["world"]: (row["_deleted"], row["a"]) for row in made.current.collect()}
    assert found[1][0] is True and found[2] == (False, "x")
    assert {"valid_from", "_kind"}.isdisjoint(made.current.columns)


def test_of_two_changes_at_one_place_the_one_that_arrived_later_holds(spark):
    schema = "k string, seq bigint, a string, _position struct<epoch:bigint,file:int,record:bigint>"
    rows = [("k", 1, "late", (2, 0, 0)), ("k", 1, "early", (1, 0, 7))]
    made = chain(spark.createDataFrame(rows[1:], schema), ("k",), "seq").versions
    (row,) = chain(spark.createDataFrame(rows, schema), ("k",), "seq", existing=made).versions.collect()
    assert row["a"] == "late"


def test_only_tracked_columns_make_versions_and_what_is_kept_aside_says_the_others(spark):
    rows = [(1, "k", 1, "x", 1, False), (1, "k", 2, "x", 2, False)]
    made = chain(spark.createDataFrame(rows, SCHEMA), ("world", "k"), "seq", track=("a",))
    (version,), (kept,) = made.versions.collect(), made.aside.collect()
    assert (version["valid_from"], version["valid_to"], version["b"], kept["b"]) == (1, None, 1, 2)
    between = spark.createDataFrame([(1, "k", 1, "y", 9, False)], SCHEMA)
    later = chain(between, ("world", "k"), "seq", existing=made.versions, aside=made.aside, track=("a",))
    assert [(r["valid_from"], r["valid_to"], r["a"], r["b"]) for r in later.versions.orderBy("valid_from").collect()] == [
        (1, 2, "y", 9), (2, None, "x", 2),
    ]  # fmt: skip
