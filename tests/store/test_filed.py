"""A table's file that is written from Arrow: how its columns are encoded, and what the log says of it."""

import json
import random

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from lakeloom.store.filed import filed, statistics

ROWS = 10_000


def encodings(file):
    """Return column → whether it has a dictionary, by the file's first row group."""
    group = pq.ParquetFile(file).metadata.row_group(0)
    columns = [group.column(at) for at in range(group.num_columns)]
    return {column.path_in_schema: column.has_dictionary_page for column in columns}


@pytest.fixture
def rows():
    """Give rows with columns of different values, and such of which each value comes twice at least."""
    numbers = pa.array(range(ROWS))
    position = {"epoch": pa.array([1] * ROWS), "record": numbers}
    return pa.table(
        {
            "_position": pa.StructArray.from_arrays(list(position.values()), list(position)),
            "id": numbers,
            "text": pa.array([f"the text {at}" for at in range(ROWS)]),
            "some": pa.array([f"value {at // 2}" for at in range(ROWS)]),
            "absent": pa.nulls(ROWS, pa.string()),
            "flag": pa.array([at % 2 == 0 for at in range(ROWS)]),
            "many": pa.array([[at] for at in range(ROWS)]),
            "_file": pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), ["a.csv"]),
        }
    )


def test_columns_have_a_dictionary_where_it_is_smaller_than_the_values(rows, tmp_path):
    added = filed(tmp_path, [rows], ["id"], "snappy")
    file = tmp_path / added["path"]
    with_one = {name for name, has in encodings(file).items() if has}
    assert {"_position.epoch", "some", "_file"} <= with_one
    assert not with_one & {"_position.record", "id", "text"}
    assert pq.read_table(file).to_pylist() == rows.to_pylist()


def test_columns_are_compressed_where_that_makes_them_smaller(tmp_path):
    drawn = random.Random(7)
    rows = pa.table(
        {
            "hash": [drawn.randbytes(16).hex() for _ in range(ROWS)],
            "digest": [drawn.randbytes(16) for _ in range(ROWS)],
            "mark": pa.array([drawn.randrange(-(2**63), 2**63) for _ in range(ROWS)]),
            "number": pa.array(range(ROWS)),
            "text": [f"the text {at}" for at in range(ROWS)],
            "few": [f"value {at % 9}" for at in range(ROWS)],
            "nothing": pa.nulls(ROWS, pa.string()),
            "flag": pa.array([drawn.random() < 0.5 for _ in range(ROWS)]),
        }
    )
    # The first rows are a slice amid a larger table, as those of a batch may be.
    for given in (rows, rows.slice(4_001, 5_000)):
        added = filed(tmp_path, [given], ["mark"], "snappy")
        group = pq.ParquetFile(tmp_path / added["path"]).metadata.row_group(0)
        told = {group.column(at).path_in_schema: group.column(at).compression for at in range(group.num_columns)}
        assert {name for name, codec in told.items() if codec == "UNCOMPRESSED"} == {"hash", "digest", "mark"}
        assert pq.read_table(tmp_path / added["path"]).to_pylist() == given.to_pylist()


def test_what_comes_after_the_first_rows_is_written_as_these(rows, tmp_path):
    added = filed(tmp_path, [rows, rows.slice(0, 1), rows], ["id"], "snappy")
    assert pq.read_table(tmp_path / added["path"]).num_rows == 2 * ROWS + 1
    told = json.loads(added["stats"])
    assert told == {
        "numRecords": 2 * ROWS + 1, "minValues": {"id": 0}, "maxValues": {"id": ROWS - 1}, "nullCount": {"id": 0},
    }  # fmt: skip


def test_nothing_is_left_of_no_rows_and_of_rows_that_break_off(rows, tmp_path):
    def broken():
        yield rows
        raise OSError("gone")

    assert filed(tmp_path, [], ["id"], "snappy") is None
    assert filed(tmp_path, [rows.slice(0, 0)], ["id"], "snappy") is None
    with pytest.raises(OSError, match="gone"):
        filed(tmp_path, broken(), ["id"], "snappy")
    assert list(tmp_path.iterdir()) == []


def test_bounds_hold_for_texts_that_are_cut_and_columns_of_nulls(tmp_path):
    long = pa.table({"text": ["b" * 40, "a"], "absent": pa.nulls(2, pa.int64())})
    added = filed(tmp_path, [long], ["text", "absent"], "snappy")
    told = statistics(pq.read_metadata(tmp_path / added["path"]), frozenset(["text", "absent"]))
    assert told["nullCount"] == {"text": 0, "absent": 2}
    assert told["minValues"] == {"text": "a"} and set(told["maxValues"]) == {"text"}
    assert told["maxValues"]["text"].startswith("b" * 32) and told["maxValues"]["text"] > "b" * 40
