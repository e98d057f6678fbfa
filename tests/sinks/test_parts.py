"""A task's rows → objects: cut by partition and size, the same bytes for the same rows, nothing put twice."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakeloom.objects.base import StoreConfig
from lakeloom.objects.opened import Opening
from lakeloom.sinks.objects.config import ObjectsConfig
from lakeloom.sinks.objects.forms import LINE, WHERE
from lakeloom.sinks.objects.parts import Putting, put, put_nothing


@pytest.fixture
def putting(tmp_path):
    def make(there=(), **words):
        config = ObjectsConfig(path="out", **words)
        prefix = f"{tmp_path.as_posix().lstrip('/')}/out/"
        return Putting(Opening("file", "", StoreConfig()), config, prefix, "t-00000001-v0", frozenset(there), 1)

    return make


def batch(rows, where="[]"):
    told = [where] * len(rows) if isinstance(where, str) else where
    return pa.RecordBatch.from_pydict({"id": pa.array(rows, pa.int64()), WHERE: pa.array(told, pa.string())})


def test_a_partition_after_the_other_and_a_new_object_beyond_the_size(putting, tmp_path):
    batches = [batch([1, 2, 3], ['["a"]', '["a"]', '["b"]']), batch([]), batch([4], '["b"]'), batch([5], "[null]")]
    found = list(put(batches, putting(partition_by=("p",), size=1 << 20), 7))
    assert [(part.key.rpartition("/")[0], part.rows) for part in found] == [
        ("p=a", 2), ("p=b", 2), ("p=__HIVE_DEFAULT_PARTITION__", 1),
    ]  # fmt: skip
    assert [pq.read_table(tmp_path / "out" / part.key, partitioning=None)["id"].to_pylist() for part in found] == [
        [1, 2],
        [3, 4],
        [5],
    ]
    assert all(part.size_bytes == (tmp_path / "out" / part.key).stat().st_size for part in found)
    assert "-00007-002-" in found[-1].key
    cut = list(put([batch([1]), batch([2]), batch([3])], putting(size=16), 0))
    assert [part.rows for part in cut] == [2, 1]


@pytest.mark.parametrize("form", ["parquet", "csv", "json"])
@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_the_same_rows_are_the_same_bytes_and_are_not_put_twice(putting, tmp_path, form, compression):
    rows = pa.RecordBatch.from_pydict({LINE: ['{"a":1}', '{"a":"ü"}'], WHERE: ["[]", "[]"]})
    (first,) = put([rows], putting(format=form, compression=compression), 0)
    file = tmp_path / "out" / first.key
    before = file.stat().st_mtime_ns
    (second,) = put([rows], putting(format=form, compression=compression, there=[first.key]), 0)
    assert first == second and file.stat().st_mtime_ns == before
    (anew,) = put([rows], putting(format=form, compression=compression), 0)
    assert anew == first and file.stat().st_mtime_ns > before


def test_what_csv_and_json_say(putting, tmp_path):
    rows = pa.RecordBatch.from_pydict(
        {"a": [1, None, 3], "s": ['x,"y\nz', "", None], WHERE: ["[]"] * 3}, pa.schema([("a", pa.int32()), ("s", pa.string()), (WHERE, pa.string())])
    )  # fmt: skip
    (part,) = put([rows], putting(format="csv", compression="gzip", delimiter=";"), 0)
    assert part.key.endswith(".csv.gz")
    assert gzip.decompress((tmp_path / "out" / part.key).read_bytes()).decode() == '"a";"s"\n1;"x,""y\nz"\n;""\n3;\n'
    (bare,) = put([rows], putting(format="csv", header=False), 0)
    assert (tmp_path / "out" / bare.key).read_text().startswith("1,")
    lines = pa.RecordBatch.from_pydict({LINE: ['{"a":1}', '{"a":null}'], WHERE: ["[]"] * 2})
    (part,) = put([lines], putting(format="json"), 0)
    assert [json.loads(line) for line in io.StringIO((tmp_path / "out" / part.key).read_text())] == [
        {"a": 1},
        {"a": None},
    ]


def test_an_object_without_rows_has_the_columns(putting, tmp_path):
    part = put_nothing(batch([]).schema, putting())
    assert part.rows == 0 and pq.read_schema(tmp_path / "out" / part.key).names == ["id"]
    part = put_nothing(batch([]).schema, putting(format="csv"))
    assert (tmp_path / "out" / part.key).read_text() == '"id"\n'


def test_many_rows_never_lie_in_memory_at_once(putting, tmp_path):
    held = []

    def batches():
        for at in range(200):
            held.append(pa.total_allocated_bytes())
            yield batch(list(range(at * 100_000, (at + 1) * 100_000)))

    (part,) = put(batches(), putting(size="1 GB"), 0)
    assert part.rows == 20_000_000 == pq.read_metadata(tmp_path / "out" / part.key).num_rows
    # All of it is 160 MB; a row group of 32 MiB and what is being written of it are held at most.
    assert max(held) - held[0] < 80 << 20
