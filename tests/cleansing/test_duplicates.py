"""Duplicates: equal rows, one row a key, like rows in their blocks; against plain Python, whatever the partitions are."""

import random
from collections import defaultdict

import pytest
from pydantic import ValidationError
from pyspark.errors import PySparkException

from lakeloom.cleansing import clean
from lakeloom.cleansing.spec import VerbSpec
from lakeloom.core.errors import CleansingError
from lakeloom.flow.explain import explained

NAMES = [None, "", "a", "b", "é", " a"]


def test_equal_rows_are_one_nested_values_nan_and_null_among_them(cleansed):
    values = [("x", 1.0), ("x", float("nan")), (None, None), ("", 0.0), ("é", -1.5)]
    chance = random.Random(1)
    rows = [
        (text, number, {"k": text or "-", "j": "2"}, [text], (chance.randrange(2),), index)
        for index in range(120)
        for text, number in [chance.choice(values)]
    ]
    out = cleansed(
        rows,
        "`a b` string, x double, m map<string,string>, l array<string>, s struct<n:int>, _position int",
        [{"deduplicate": {}}],
    )
    last = {(row[0], str(row[1]), row[4]): row[5] for row in rows}
    assert {(row["a b"], str(row["x"]), tuple(row["s"])): row["_position"] for row in out.rows} == last
    assert out.changed == {"1_deduplicate": len(rows) - len(last)} and len(out.rows) == len(last)
    assert out.columns == ["a b", "x", "m", "l", "s"]


def drawn(count=300):
    chance = random.Random(4)
    return [
        (index, chance.choice(NAMES), chance.choice([1, 2, None]), chance.choice([None, 1, 2, 3]), chance.choice("xy"))
        for index in range(count)
    ]


SCHEMA = "id int, `k 1` string, k2 int, at int, note string"


@pytest.mark.parametrize("keep", ["first", "last"])
@pytest.mark.parametrize("nulls", ["differ", "match"])
def test_one_row_of_each_key_stays_by_order(cleansed, keep, nulls):
    rows = drawn()
    verb = {"deduplicate": {"by": ["k 1", "K2"], "order": ["at", "id"], "keep": keep, "nulls": nulls}}
    out = cleansed(rows, SCHEMA, [{"upper": "note"}, verb])
    groups = defaultdict(list)
    for row in rows:
        groups[(row[1], row[2]) if nulls == "match" or None not in row[1:3] else row[0]].append(row)
    # NULL is never preferred: it comes last, whichever end is kept.
    sign = 1 if keep == "first" else -1
    wanted = {
        min(group, key=lambda row: (row[3] is None, sign * (row[3] or 0), sign * row[0]))[0]: len(group) - 1
        for group in groups.values()
    }
    assert {row["id"]: row["_changed_2_deduplicate"] for row in out.rows} == wanted
    # What had been counted on rows that went is kept: every note was changed.
    assert out.changed == {"1_upper": len(rows), "2_deduplicate": len(rows) - len(wanted)}


def test_ties_are_broken_by_place_then_by_values_the_same_in_any_partitions(spark):
    rows = drawn()
    verb = [{"deduplicate": {"by": "note"}}, {"deduplicate": {"by": ["k 1"], "nulls": "match"}}]
    found = []
    for order, parts in ((rows, 1), (rows[::-1], 5)):
        frame = spark.createDataFrame(order, SCHEMA).repartition(parts)
        found.append(sorted(map(str, clean(frame, verb[1:]).collect())))
        placed = frame.selectExpr("*", "named_struct('epoch', 1, 'record', id) as _position")
        kept = {row["note"]: row["id"] for row in clean(placed, verb[:1]).collect()}
        assert kept == {note: max(row[0] for row in rows if row[4] == note) for note in "xy"}
    assert found[0] == found[1] and len(found[0]) == len(NAMES)


def test_a_row_on_its_way_to_quarantine_takes_none_away(cleansed):
    rows = [(1, "a", "1"), (2, "a", "x"), (3, "a", "2"), (4, "a", "y")]
    out = cleansed(
        rows,
        "id int, k string, n string",
        [{"parse": {"column": "n", "type": "int"}}, {"deduplicate": {"by": "k", "order": "id"}}],
    )
    assert out.by_id("n") == {2: None, 3: 2, 4: None} and set(out.faults) == {2, 4}
    assert out.changed == {"1_parse": 2, "2_deduplicate": 1}


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def levenshtein(a, b, at_least):
    return distance(a, b) <= max(len(a), len(b)) * (1 - at_least) + 1e-9


def overlap(split):
    def like(a, b, at_least):
        one, other = split(a), split(b)
        return len(one & other) >= len(one | other) * at_least - 1e-9

    return like


def trigrams(text):
    padded = f"  {text} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def winkler(a, b):
    """Jaro's and Winkler's similarity, written down a second time: by positions in place of arrays."""
    if a == b:
        return 1.0
    reach, taken, mine = max(max(len(a), len(b)) // 2 - 1, 0), [], []
    for at, letter in enumerate(a):
        free = [p for p in range(max(at - reach, 0), min(at + reach + 1, len(b))) if b[p] == letter and p not in taken]
        if free:
            taken.append(free[0])
            mine.append(letter)
    if not mine:
        return 0.0
    moved = sum(x != b[p] for x, p in zip(mine, sorted(taken), strict=True)) // 2
    jaro = (len(mine) / len(a) + len(mine) / len(b) + (len(mine) - moved) / len(mine)) / 3
    start = next((n for n in range(4) if a[n : n + 1] != b[n : n + 1] or n >= min(len(a), len(b))), 4)
    return jaro + start * 0.1 * (1 - jaro) if jaro > 0.7 else jaro


MEASURES = {
    "levenshtein": levenshtein,
    "jaro_winkler": lambda a, b, at_least: winkler(a, b) >= at_least - 1e-9,
    "words": overlap(lambda text: set(text.split())),
    "trigrams": overlap(trigrams),
}


def groups_of(rows, like):
    """Return the groups of rows (id, block, *texts) that a chain of like pairs connects, by a search of the graph."""
    left, found = [row for row in rows if None not in row[1:]], [[row] for row in rows if None in row[1:]]
    while left:
        todo, group = [left.pop(0)], []
        while todo:
            row = todo.pop()
            group.append(row)
            near = [
                other
                for other in left
                if other[1] == row[1] and all(like(a, b) for a, b in zip(row[2:], other[2:], strict=True))
            ]
            left = [other for other in left if other not in near]
            todo += near
        found.append(group)
    return found


def people(count=160):
    chance = random.Random(8)
    bases = ["anna maria", "jan de vries", "o'neil", "", "zoë", "li", "muller gmbh", "😀😀 shop"]

    def typo(text):
        letters = list(text)
        for _ in range(chance.choice([0, 0, 1, 1, 2])):
            at = chance.randrange(len(letters) + 1)
            letters[at : at + chance.randrange(2)] = chance.choice(["", "a", "é", " "])
        return "".join(letters)

    return [
        (
            index,
            chance.choice(["1011", "1012", None, "é"]),
            None if chance.random() < 0.05 else typo(chance.choice(bases)),
            typo("main street"),
        )
        for index in range(count)
    ]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("keep", ["first", "last"])
def test_like_rows_of_a_block_are_one(cleansed, measure, keep):
    rows, at_least = people(), {"levenshtein": 0.75, "jaro_winkler": 0.85}.get(measure, 0.5)
    alike = {"columns": ["na me", "street"], "block": ["zip"], "measure": measure, "at_least": at_least}
    out = cleansed(
        rows,
        "id int, zip string, `na me` string, street string",
        [{"upper": "zip"}, {"deduplicate": {"alike": alike, "order": "id", "keep": keep}}],
    )
    groups = groups_of(rows, lambda a, b: MEASURES[measure](a, b, at_least))
    chosen = min if keep == "first" else max
    wanted = {chosen(row[0] for row in group): len(group) - 1 for group in groups}
    assert {row["id"]: row["_changed_2_deduplicate"] for row in out.rows} == wanted
    assert max(wanted.values()) > 2 and out.changed["1_upper"] == sum(row[1] == "é" for row in rows)
    assert out.columns == ["id", "zip", "na me", "street"]


# W. E. Winkler, Overview of Record Linkage and Current Research Directions, 2006, table 6; to three digits.
PUBLISHED = """SHACKLEFORD SHACKELFORD 0.982
DUNNINGHAM CUNNIGHAM 0.896
NICHLESON NICHULSON 0.956
JONES JOHNSON 0.832
MASSEY MASSIE 0.933
ABROMS ABRAMS 0.922
HARDIN MARTINEZ 0.722
ITMAN SMITH 0.467
JERALDINE GERALDINE 0.926
MARHTA MARTHA 0.961
MICHELLE MICHAEL 0.921
JULIES JULIUS 0.933
TANYA TONYA 0.880
DWAYNE DUANE 0.840
SEAN SUSAN 0.805
JON JOHN 0.933
JON JAN 0.800
DIXON DICKSONX 0.813"""


def test_jaro_winkler_is_what_winkler_published_and_what_a_second_writing_gives(spark):
    from pyspark.sql import functions as F

    from lakeloom.cleansing.likeness import jaro_winkler, sign

    published = [line.split() for line in PUBLISHED.splitlines()]
    chance = random.Random(9)
    drawn = ["".join(chance.choices("abé😀 ", k=chance.randrange(9))) for _ in range(800)]
    pairs = [(a, b) for a, b, _ in published] + list(zip(drawn[:400], drawn[400:], strict=True))
    frame = spark.createDataFrame([(n, a, b) for n, (a, b) in enumerate(pairs)], "n int, a string, b string")
    value = jaro_winkler(sign(F.col("a"), "jaro_winkler"), sign(F.col("b"), "jaro_winkler"))
    found = [row["v"] for row in frame.select("n", value.alias("v")).orderBy("n").collect()]
    assert [f"{each:.3f}" for each in found[: len(published)]] == [told for *_, told in published]
    assert found == pytest.approx([winkler(a, b) for a, b in pairs]) and min(found) == 0.0 and 1.0 in found


def test_a_chain_of_like_rows_is_one_group_and_a_block_may_be_an_expression(cleansed):
    rows = [(1, "1a", "aaaa"), (2, "1b", "aabb"), (3, "1c", "aaab"), (4, "2a", "aaab"), (5, "1d", "zzzz")]
    alike = {"columns": "t", "block_sql": "left(zip, 1)", "at_least": 0.75}
    out = cleansed(
        rows, "id int, zip string, t string", [{"deduplicate": {"alike": alike, "keep": "first", "order": "id"}}]
    )
    assert {row["id"]: row["_changed_1_deduplicate"] for row in out.rows} == {1: 2, 4: 0, 5: 0}


def test_a_block_too_large_fails_or_is_passed_over_and_counted(cleansed):
    rows = [(number, "a" if number < 5 else "b", "same", {"k": 1}) for number in range(8)]
    alike = {"columns": "t", "block": "k", "at_most": 4}
    schema = "id int, k string, t string, m map<string,int>"
    with pytest.raises(PySparkException) as caught:
        cleansed(rows, schema, [{"deduplicate": {"alike": alike}}])
    error = explained(caught.value, "silver.x")
    assert (error.code, error.message) == ("LL-CLEAN-004", "a block has more than 4 rows")
    out = cleansed(
        rows, schema, [{"deduplicate": {"alike": alike | {"oversize": "skip"}, "keep": "first", "order": "id"}}]
    )
    assert [row["id"] for row in out.rows] == [0, 1, 2, 3, 4, 5]
    assert out.changed == {"1_deduplicate_skipped": 5, "1_deduplicate": 2}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"alike": {"columns": "t"}}, "either 'block' or 'block_sql'"),
        ({"alike": {"columns": "t", "block_sql": "rand() < 0.5"}}, "a replay would judge otherwise"),
        ({"by": "a", "alike": {"columns": "t", "block": "b"}}, "two ways"),
        ({"nulls": "match"}, "no 'by'"),
        ({"alike": {"columns": "t", "block": "b", "measure": "sound"}}, "levenshtein"),
        ({"keep": "best"}, "first"),
    ],
)
def test_arguments_that_make_no_sense(arguments, says):
    with pytest.raises(ValidationError, match=says):
        VerbSpec.model_validate({"deduplicate": arguments})


def test_what_has_no_order_and_sql_that_does_not_analyse(cleansed):
    with pytest.raises(CleansingError, match="'m' has no order"):
        cleansed([], "k string, m map<string,int>", [{"deduplicate": {"by": "k", "order": "m"}}])
    with pytest.raises(CleansingError, match="'block_sql' does not analyse"):
        cleansed([], "k string", [{"deduplicate": {"alike": {"columns": "k", "block_sql": "left(zap, 1)"}}}])
