"""The kind ``files`` on real Spark: formats, bad input, ledger, numbering."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from lakeloom.core.errors import SourceError
from lakeloom.session.spark import Opener
from lakeloom.sources import packing
from lakeloom.sources.files import Files, FilesChangedError
from lakeloom.sources.files_config import FilesConfig

CLOCK = datetime(2026, 1, 1, tzinfo=UTC)


def config(path: str = "in/*", kind: str = "csv", **more) -> FilesConfig:
    return FilesConfig(**({"kind": "files", "path": path, "format": kind} | more))


def no_spark():
    raise AssertionError("a poll of small files starts no JVM")


def poll(conf: FilesConfig, base: Path, landed=()):
    batch = Files.poll(conf, list(landed), CLOCK, no_spark, base)
    return None if batch is None else json.loads(json.dumps(batch))


def rows(frame) -> list[dict]:
    found = [row.asDict(recursive=True) for row in frame.collect()]
    return sorted(found, key=lambda row: (row["_file_no"], row["_record"]))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def put(base: Path, name: str, data: str | bytes) -> Path:
    path = base / "in" / name
    raw = data.encode() if isinstance(data, str) else data
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") and isinstance(data, str) else raw)
    return path


def test_csv_good_rows_load_and_bad_ones_keep_their_bytes_and_reasons(spark, base):
    put(base, "2013-01.csv.gz", 'year,carrier,delay\n2013,UA,NA\n2013,"A,""A""",\n\n2013\n2013,x,y,z\nMMXIII,DL,1\n')
    put(base, "2013-02.csv.gz", "carrier,year\nB6,2013\n")  # a missing column, another order
    cut = gzip.compress(b"year,carrier,delay\n2013,UA,1\n" * 50)[:-20]
    put(base, "2013-03 é[1].csv.gz", cut)
    put(base, "2013-04.csv.gz", b"")
    put(base, "2013-05.csv", "year,carrier,delay\n2013,Zürich,1\n".encode("latin-1"))
    put(base, "_unfinished.csv", "year\n")
    conf = config(columns={"year": "int"})
    batch = poll(conf, base)
    landing = Files.read(spark.newSession(), conf, batch, None, base)

    good = rows(landing.good)
    assert [(each["year"], each["carrier"], each["delay"]) for each in good] == [
        (2013, "UA", "NA"),
        (2013, 'A,"A"', None),
        (2013, "B6", None),
    ]
    assert [(each["_file"], each["_file_no"], each["_record"]) for each in good] == [
        ("in/2013-01.csv.gz", 0, 1),
        ("in/2013-01.csv.gz", 0, 2),
        ("in/2013-02.csv.gz", 1, 1),
    ]
    broken = rows(landing.broken)
    assert [(each["_file_no"], each["raw"], each["reasons"]) for each in broken] == [
        (0, "2013", ["malformed csv record"]),
        (0, "2013,x,y,z", ["malformed csv record"]),
        (0, "MMXIII,DL,1", ["year: not int"]),
        (2, None, ["the gzip is truncated"]),
        (3, None, ["the file is empty"]),
        (4, None, ["the file is not UTF-8"]),
    ]
    assert bytes(broken[3]["bytes"]) == cut
    assert bytes(broken[4]["bytes"]) == b""
    assert not landing.broken.isEmpty()
    assert landing.good.count() == 3


def test_a_required_column_that_is_missing_keeps_the_file_out(spark, base):
    put(base, "a.csv", "year,delay\n2013,1\n")
    put(base, "b.csv", "year\n2013\n")
    conf = config(required=("delay",))
    landing = Files.read(spark.newSession(), conf, poll(conf, base), None, base)
    assert [each["_file"] for each in rows(landing.good)] == ["in/a.csv"]
    assert [each["reasons"] for each in rows(landing.broken)] == [["the header lacks delay"]]


def test_json_lines(spark, base):
    lines = ['{"a":1.5,"b":{"c":[1]}}', "", '{"a":', '{"a":2} {"a":3}', '{"A b":"x"}', '[{"a":1}]', "3", '{"_id":null}']
    put(base, "a.json", "\n".join(lines))
    put(base, "b.json.gz", '{"late":true}\n')
    put(base, "c.json", '{"LATE":true}\n')
    conf = config(format="json", columns={"b": "struct<c:array<int>>"})
    landing = Files.read(spark.newSession(), conf, poll(conf, base), None, base)
    good = rows(landing.good)
    assert [(each["a"], each["b"], each["A_b"], each["late"], each["_record"]) for each in good] == [
        ("1.5", {"c": [1]}, None, None, 0),
        (None, None, "x", None, 4),
        (None, None, None, None, 7),
        (None, None, None, "true", 0),
        (None, None, None, "true", 0),
    ]
    assert [each["raw"] for each in rows(landing.broken)] == [lines[2], lines[3], lines[5], lines[6]]


def test_xml_and_its_repeated_and_nested_elements(spark, base):
    put(base, "a.xml", '<r><row id="7"><a>1</a><m>x</m><m>y</m><n><o>1</o></n></row><row><a>b</a></row></r>')
    put(base, "b.xml", "<r><row><a>1</a></row><row><a>")
    conf = config(format="xml", row_tag="row", columns={"a": "int"})
    landing = Files.read(spark.newSession(), conf, poll(conf, base), None, base)
    assert [(each["attr_id"], each["a"], each["m"], each["n"]) for each in rows(landing.good)] == [
        ("7", 1, ["x", "y"], "<o>1</o>")
    ]
    assert [each["reasons"] for each in rows(landing.broken)] == [
        ["a: not int"],
        ["the XML is not well-formed (line 1)"],
    ]
    assert landing.broken.count() == 2


def test_parquet_as_it_is_with_differing_files_and_a_truncated_one(spark, base):
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"faa": ["JFK", "LGA"], "alt": [1, 2]}), base / "in/a.parquet", row_group_size=1)
    parquet.write_table(pa.table({"faa": ["EWR"], "alt": [3.5], "tz": ["x"]}), base / "in/b.parquet")
    (base / "in/c.parquet").write_bytes((base / "in/a.parquet").read_bytes()[:-10])
    conf = config(format="parquet")
    landing = Files.read(spark.newSession(), conf, poll(conf, base), None, base)
    good = rows(landing.good)
    assert [(each["faa"], each["alt"], each["tz"], each["_file_no"], each["_record"]) for each in good] == [
        ("JFK", 1.0, None, 0, 0),
        ("LGA", 2.0, None, 0, 1),
        ("EWR", 3.5, "x", 1, 0),
    ]
    assert [each["reasons"] for each in rows(landing.broken)] == [["it is not Parquet, or is truncated"]]


def test_csv_of_many_lines_a_record_and_csv_without_header(spark, base):
    put(base, "a.csv", 'a,b\n1,"x\ny"\n2\n')
    conf = config(options={"multiLine": True})
    landing = Files.read(spark.newSession(), conf, poll(conf, base), None, base)
    assert [(each["a"], each["b"], each["_record"]) for each in rows(landing.good)] == [("1", "x\ny", 0)]
    assert [each["reasons"] for each in rows(landing.broken)] == [["malformed csv record"]]
    assert landing.broken.count() == 1
    put(base, "b.txt", "1|x\n2|y\n")
    bare = config("in/*.txt", options={"header": False, "sep": "|"}, columns={"n": "int", "s": "string"})
    landing = Files.read(spark.newSession(), bare, poll(bare, base), None, base)
    assert [(each["n"], each["s"], each["_record"]) for each in rows(landing.good)] == [(1, "x", 0), (2, "y", 1)]


def test_record_numbers_are_unique_sorted_and_the_same_on_replay_in_many_small_splits(spark, base, monkeypatch):
    put(base, "a.csv", "n\n" + "".join(f"{n}\n" for n in range(2000)))
    put(base, "b.csv", "n\n" + "".join(f"{n}\n" for n in range(500, 900)))
    conf = config()
    batch = poll(conf, base) | {"split_bytes": 512}
    with monkeypatch.context() as patched:
        patched.setattr(packing, "tasks", lambda *_: None)
        first = Files.read(spark.newSession(), conf, batch, None, base).good
        assert first.rdd.getNumPartitions() > 10
    found = rows(first)
    packed = Files.read(spark.newSession(), conf, batch, None, base).good
    assert packed.rdd.getNumPartitions() < 10 and rows(packed) == found  # several splits to a task change no number
    assert [int(each["n"]) for each in found] == [*range(2000), *range(500, 900)]
    assert len({(each["_file_no"], each["_record"]) for each in found}) == 2400
    # A filter above the read must not move the numbers, nor must another session's defaults.
    other = spark.newSession()
    other.conf.set("spark.sql.files.maxPartitionBytes", "1g")
    replay = Files.read(other, conf, batch, None, base).good.where("n % 7 = 0")
    assert rows(replay) == [each for each in found if int(each["n"]) % 7 == 0]


def test_a_second_poll_reads_no_bytes_and_knows_twice_late_and_rewritten_files(spark, base, monkeypatch):
    conf = config()
    put(base, "2013-01.csv", "a\n1\n")
    put(base, "2013-03.csv", "a\n3\n")
    landed = [poll(conf, base)]
    from lakeloom.sources import files

    with monkeypatch.context() as patched:
        patched.setattr(files, "inspect", lambda *_: pytest.fail("an unchanged file was opened"))
        assert poll(conf, base, landed) is None

    put(base, "2013-01 again.csv", "a\n1\n")  # delivered twice
    put(base, "2013-02.csv", "a\n2\n")  # delivered late
    path = put(base, "2013-03.csv", "a\n33\n")  # rewritten in place
    landed.append(poll(conf, base, landed))
    assert [(each["path"], each["duplicate_of"]) for each in landed[1]["files"]] == [
        ("in/2013-01 again.csv", "in/2013-01.csv"),
        ("in/2013-02.csv", None),
        ("in/2013-03.csv", None),
    ]
    landing = Files.read(spark.newSession(), conf, landed[1], None, base)
    assert [(each["a"], each["_file_no"]) for each in rows(landing.good)] == [("2", 1), ("33", 2)]

    about = path.stat()
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + 10**9))  # touched only
    landed.append(poll(conf, base, landed))
    assert [each["duplicate_of"] for each in landed[2]["files"]] == ["in/2013-03.csv"]
    landing = Files.read(spark.newSession(), conf, landed[2], None, base)
    assert landing.good.count() == 0
    assert landing.broken is None
    assert poll(conf, base, landed) is None


def test_a_file_rewritten_or_gone_between_listing_and_reading(spark, base):
    conf = config()
    path = put(base, "a.csv", "a\n1\n")
    put(base, "b.csv", "a\n2\n")
    batch = poll(conf, base)
    put(base, "a.csv", "a\n11\n")
    session = spark.newSession()
    with pytest.raises(FilesChangedError):
        Files.read(session, conf, batch, None, base)
    probed = Files.probe(session, conf, batch, base)
    landing = Files.read(session, conf, probed, None, base)
    assert [each["a"] for each in rows(landing.good)] == ["2"]
    assert [each["bytes"] for each in rows(landing.broken)] == [None]
    assert [each["path"] for each in poll(conf, base, [probed])["files"]] == ["in/a.csv"]
    path.unlink()
    with pytest.raises(SourceError) as caught:
        Files.read(session, conf, batch, None, base)
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)


def test_probe_finds_the_file_whose_pages_are_damaged_behind_a_sound_footer(spark, base):
    import pyarrow as pa
    from pyarrow import parquet

    for name in ("a", "b", "c"):
        parquet.write_table(pa.table({"v": [f"{name}{n}" for n in range(5000)]}), base / f"in/{name}.parquet")
    data = bytearray((base / "in/b.parquet").read_bytes())
    data[4:2000] = b"\xff" * 1996
    (base / "in/b.parquet").write_bytes(data)
    conf = config(format="parquet")
    batch = poll(conf, base)
    assert [each["problem"] for each in batch["files"]] == [None, None, None]
    session = spark.newSession()
    probed = Files.probe(session, conf, batch, base)
    assert [each["problem"] is None for each in probed["files"]] == [True, False, True]
    landing = Files.read(session, conf, probed, None, base)
    assert landing.good.count() == 10_000
    assert bytes(rows(landing.broken)[0]["bytes"]) == bytes(data)


def test_many_files_are_inspected_on_executors_and_placed_by_a_join(spark, base, monkeypatch):
    from lakeloom.sources import files, whole

    monkeypatch.setattr(files, "EXECUTORS_FROM_BYTES", 1)
    monkeypatch.setattr(whole, "_MAPPED_FILES", 2)
    for number in range(4):
        put(base, f"{number}.csv", f"a\n{number}\n")
    conf = config()
    batch = Files.poll(conf, [], CLOCK, lambda: spark, base)
    found = rows(Files.read(spark.newSession(), conf, batch, None, base).good)
    assert [(each["a"], each["_file"]) for each in found] == [(str(n), f"in/{n}.csv") for n in range(4)]


def test_folders_that_are_not_there_and_paths_that_never_were(base):
    for path, transient in (("nowhere/*.csv", True), ("in/none.csv", False)):
        with pytest.raises(SourceError) as caught:
            poll(config(path), base)
        assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", transient)
    with pytest.raises(SourceError, match="LL-SOURCE-004"):
        poll(config("in"), base)
    assert poll(config("in/*.csv"), base) is None


def test_paths_outside_the_base_are_read_and_named_relative(base, tmp_path):
    put(base, "a.csv", "a\n1\n")
    inner = tmp_path / "project"
    inner.mkdir()
    assert [each["path"] for each in poll(config("../in/*.csv"), inner)["files"]] == ["../in/a.csv"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"options": {"inferSchema": True}}, "no option inferSchema"),
        ({"options": {"sep": "||"}}, "one character"),
        ({"format": "xml"}, "row_tag"),
        ({"row_tag": "row"}, "xml only"),
        ({"options": {"header": False}}, "declared"),
        ({"path": "hdfs://bucket/x"}, "unknown"),
        ({"path": "s3://bucket"}, "no address"),
        ({"path": "https://host/*.csv"}, "no listing"),
        ({"changed": "ignore"}, "objects of a store"),
        ({"encoding": "utf-9"}, "unknown"),
        ({"encoding": "base64"}, "unknown"),
        ({"encoding": "latin-1", "format": "parquet"}, "of its own"),
        ({"nonsense": 1}, "Extra"),
    ],
)
def test_what_a_config_may_not_say(more, told):
    with pytest.raises(ValidationError, match=told):
        FilesConfig(**({"kind": "files", "path": "in/*", "format": "csv"} | more))


def test_names_that_look_like_globs_are_read_once_and_alone(spark, base):
    for number, name in enumerate(
        ("a[1].csv", "a1.csv", "b{x,y}.csv", "c\\d.csv", "q?.csv", "qq.csv", "s*.csv", "% +é.csv")
    ):
        put(base, name, f"a\n{number}\n")
    conf = config()
    batch = poll(conf, base)
    landing = Files.read(spark.newSession(), conf, batch, None, base)
    assert sorted(each["a"] for each in rows(landing.good)) == [str(number) for number in range(8)]
    assert {each["_file"] for each in rows(landing.good)} == {each["path"] for each in batch["files"]}


def test_spark_begins_to_start_while_new_files_are_inspected_and_only_then(base):
    (base / "in" / "a.csv").write_text("id\n1\n")
    begun = []
    spark = Opener(no_spark, lambda: begun.append(1))
    batch = Files.poll(config(), [], CLOCK, spark, base)
    assert begun == [1]
    assert Files.poll(config(), [batch], CLOCK, spark, base) is None
    assert begun == [1]
