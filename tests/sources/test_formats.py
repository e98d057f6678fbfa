"""ORC, lines, fixed width and whole files: what lands of them, numbered, and what goes to quarantine."""

import io
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import orc

from lakeloom.sources.files import Files
from lakeloom.sources.files_config import FilesConfig


def landed(spark, base, *batches, **config):
    """Return the good and the broken rows of a landing of all that lies in ``in``."""
    made = FilesConfig(**({"kind": "files", "path": "in/*"} | config))
    batch = Files.poll(made, list(batches), None, lambda: spark, base)
    found = Files.read(spark.newSession(), made, batch, None, base)
    good = [row.asDict() for row in found.good.orderBy("_file_no", "_record").collect()]
    broken = (
        [] if found.broken is None else [row.asDict() for row in found.broken.orderBy("_file_no", "_record").collect()]
    )
    return good, broken


def put(base, name, content):
    file = base / "in" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def table(rows, **more):
    sink = io.BytesIO()
    orc.write_table(pa.Table.from_pylist(rows), sink, **more)
    return sink.getvalue()


def test_orc_lands_with_its_own_types_and_numbers_that_are_unique_over_splits(spark, tmp_path, monkeypatch):
    # A constant column: far more rows than bytes, in many stripes, which several splits share.
    rows = pa.table(
        {"id": pa.array(range(300_000), pa.int64()), "word": ["x"] * 300_000, "n": pa.array([1.5] * 300_000)}
    )
    sink = io.BytesIO()
    orc.write_table(rows, sink, stripe_size=64 << 10)
    put(tmp_path, "a.orc", sink.getvalue())
    put(tmp_path, "b.orc", table([{"id": 7, "word": "y", "n": 2.5}]))
    put(tmp_path, "c.orc", b"ORC and no more")
    monkeypatch.setattr("lakeloom.sources.records.SPLIT_BYTES", 128 << 10)
    made = FilesConfig(kind="files", path="in/*", format="orc")
    batch = Files.poll(made, [], None, lambda: spark, tmp_path)
    assert [each["problem"] for each in batch["files"]] == [None, None, "it is not ORC, or is truncated"]
    found = Files.read(spark.newSession(), made, batch, None, tmp_path)
    good = found.good.persist()
    assert dict(good.dtypes)["id"] == "bigint" and dict(good.dtypes)["n"] == "double"
    assert good.count() == 300_001 == good.select("_file_no", "_record").distinct().count()
    assert good.where("_file_no = 0").rdd.getNumPartitions() > 1
    first = good.where("_file_no = 0").orderBy("_record").select("id").limit(3).collect()
    assert [row.id for row in first] == [0, 1, 2]
    assert found.broken.count() == 1


def test_text_gives_each_line_and_fixed_width_its_fields(spark, tmp_path):
    put(tmp_path, "a.txt", "first\n  second ü\n\nlast")
    good, broken = landed(spark, tmp_path, format="text")
    assert [row["value"] for row in good] == ["first", "  second ü", "", "last"] and broken == []
    put(tmp_path, "a.txt", "0001Rome      12.5 \n0002Łódź       7\n\n0003\nx   Oslo      1.0\n")
    fields = {"id": (1, 4), "city": (5, 14), "amount": (15, 19)}
    good, broken = landed(spark, tmp_path, format="fixed", fields=fields, columns={"id": "int", "amount": "double"})
    assert [(row["id"], row["city"], row["amount"]) for row in good] == [(1, "Rome", 12.5), (2, "Łódź", 7.0)]
    assert [(row["raw"], row["reasons"]) for row in broken] == [
        ("0003", ["the line ends before its last field"]), ("x   Oslo      1.0", ["id: not int"]),
    ]  # fmt: skip


def test_a_file_of_any_bytes_is_a_row(spark, tmp_path, monkeypatch):
    put(tmp_path, "a.png", b"\x89PNG\x00\xff")
    put(tmp_path, "b.csv.gz", b"\x1f\x8bnot unpacked")
    put(tmp_path, "c.wav", b"")
    put(tmp_path, "d.bin", b"x" * 200)
    monkeypatch.setattr("lakeloom.sources.scanners.LARGEST_VALUE_BYTES", 100)
    good, broken = landed(spark, tmp_path, format="binary")
    assert [(Path(row["_file"]).name, bytes(row["content"]), row["size"]) for row in good] == [
        ("a.png", b"\x89PNG\x00\xff", 6), ("b.csv.gz", b"\x1f\x8bnot unpacked", 14),
    ]  # fmt: skip
    assert [(Path(row["_file"]).name, row["reasons"]) for row in broken] == [
        ("c.wav", ["the file is empty"]), ("d.bin", ["it is too large to be one value"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "told"),
    [({"format": "fixed"}, "fields is what fixed needs"), ({"format": "csv", "fields": {"a": (1, 2)}}, "fixed only"),
     ({"format": "fixed", "fields": {"a": (0, 2)}}, "at least 1"), ({"format": "fixed", "fields": {"a": (3, 2)}}, "not before"),
     ({"format": "orc", "encoding": "latin-1"}, "of its own"), ({"format": "excel"}, "Input should be")],
)  # fmt: skip
def test_what_a_format_needs(more, told):
    with pytest.raises(ValueError, match=told):
        FilesConfig(**({"kind": "files", "path": "in/*"} | more))
