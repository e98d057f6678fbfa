"""Updates that look at the row that stands: a model in memory, whatever comes together, late, twice or deletes."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakeloom.tables.folding import folded, folds
from lakeloom.tables.writing import WriteSpec

SCHEMA = "`the key` string, seq int, v int, `first seen` int, _deleted boolean, _position struct<epoch:int,record:int>"
LIVE = "`the key` string, seq int, v int, `first seen` int, _position struct<epoch:int,record:int>"
WRITE = WriteSpec(mode="merge", sequence_by="seq", keep=("first seen",), update_when="new.v >= old.v")
KEYS = ("the key",)
CHANGE = st.tuples(
    st.sampled_from([None, "a", "b", "it's"]), st.integers(1, 4), st.integers(0, 3), st.booleans() | st.just(False)
)
BATCHES = st.lists(st.lists(CHANGE, min_size=1, max_size=12), min_size=1, max_size=4)


def told(batches):
    """Return the batches as rows: `first seen` counts all changes."""
    count, made = 0, []
    for epoch, batch in enumerate(batches):
        made.append([])
        for at, (key, seq, v, deleted) in enumerate(batch):
            made[-1].append((key, seq, v, count, deleted, (epoch, at)))
            count += 1
    return made


def model(batches):
    """Return key → its row, where an update keeps `first seen` and does not lessen `v`."""
    stand, gone = {}, {}
    for batch in batches:
        for key, seq, v, first, deleted, place in sorted(batch, key=lambda row: (row[1], row[5])):
            held = stand.get(key)
            if held is not None and (seq, place) < (held[1], held[4]):
                continue
            if held is None and (seq, place) < gone.get(key, (0, place)):
                continue
            if deleted:
                stand.pop(key, None)
                gone[key] = (seq, place)
            elif held is None:
                stand[key] = (key, seq, v, first, place)
            elif v >= held[2]:
                stand[key] = (key, seq, v, held[3], place)
    return stand


def plain(row):
    return (*row[:-1], tuple(row[-1]))


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BATCHES)
def test_however_changes_are_cut_into_executions_the_model_comes_out(spark, batches):
    batches = told(batches)
    frame = spark.createDataFrame([row for batch in batches for row in batch], SCHEMA)
    found = folded(frame, KEYS, WRITE, None).where("NOT _deleted").drop("_deleted").collect()
    assert {row[0]: plain(row) for row in found} == model(batches)
    # The same in two executions, the second over what the first has left.
    first, second = batches[: len(batches) // 2], batches[len(batches) // 2 :]
    before = model(first)
    gone = {row[0] for batch in first for row in batch} - before.keys()
    second = [[row for row in batch if row[0] not in gone] for batch in second]  # what late rows meet is kept aside
    live = spark.createDataFrame(list(before.values()), LIVE)
    made = folded(
        spark.createDataFrame([row for batch in second for row in batch], SCHEMA), KEYS, WRITE, live
    ).collect()
    after = dict(before)
    for row in made:
        after.pop(row[0], None)
        if not row["_deleted"]:
            after[row[0]] = plain((*row[:4], row["_position"]))
    known = {key: row for key, row in model(batches).items() if key not in gone}
    assert after == known
    assert {row[0] for row in made} <= {row[0] for batch in second for row in batch}


def test_what_leaves_a_row_as_it_is_writes_nothing_and_without_an_order_the_last_to_land_counts(spark):
    live = spark.createDataFrame([("a", 5, 2, 0, (0, 0))], LIVE)
    late = spark.createDataFrame([("a", 4, 9, 1, False, (1, 0)), ("a", 6, 1, 2, False, (1, 1))], SCHEMA)
    assert folded(late, KEYS, WRITE, live).isEmpty()
    bare = WriteSpec(mode="merge", keep=("first seen",))
    row = folded(late, KEYS, bare, live).collect()
    assert [tuple(each)[:4] for each in row] == [("a", 6, 1, 0)]
    assert folds(bare) and folds(WRITE) and not folds(WriteSpec(mode="merge", sequence_by="seq"))
