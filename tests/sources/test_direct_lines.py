"""Objects of lines that Spark reads where they lie: the same rows, numbers and quarantine as of copies."""

import gzip
import json
from pathlib import Path

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.project.sampling import storage_root
from lakeloom.sources import direct, objects
from lakeloom.sources.files import Files, FilesChangedError
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from tests.sources.test_direct import Project, config, place_of

# Format → words of the source, the objects; the last is broken whole or in part.
KINDS = {
    "csv": ({"options": {"multiLine": False}}, {
        "a b%20+#é[1].csv": b'id,w\n1,one\n2,"two, ""2"""\r\n\n3,\n', "drifted.csv": b"w,id,more\nfour,4,x\n",
        "packed.csv.gz": gzip.compress(b"id,w\n5,five\n"), "broken.csv": b'id,w\n6,six\n7,seven,and more\n8,"open\n',
    }),
    "json": ({"columns": {"id": "bigint"}}, {
        "a.json": b'{"id": 1, "w": {"deep": [1, "x"]}}\n{"id": 2}\n', "b.json.gz": gzip.compress(b'{"id": 3, "more": true}'),
        "broken.json": b'{"id": 4}\n{"id": \n{"id": "no number"}\n',
    }),
    "text": ({}, {"a.txt": "one\n\nzwölf\n".encode(), "broken.txt": b"not \xff UTF-8\n"}),
    "fixed": ({"fields": {"id": [1, 2], "w": [3, 6]}}, {"a.dat": b" 1one \n 2two \n", "broken.dat": b" 3six \n4\n"}),
}  # fmt: skip
OF_THE_LANDING = {"_source", "_ingested_at", "_run"}
OF_THE_QUARANTINE = {"id", "source", "step", "at", "run", "execution"}


@pytest.mark.timeout(300)
def test_what_lies_there_lands_as_its_copies_do(bucket_of, tmp_path):
    bucket, sources = bucket_of("s3"), {}
    for kind, (more, told) in KINDS.items():
        for name, content in told.items():
            bucket.put(f"in/{kind}/{name}", content)
        said = {"kind": "files", "path": f"{bucket.root}/in/{kind}/*", "format": kind} | more
        sources |= {f"{kind}_{access}": said | {"access": access} for access in ("direct", "landed")}
    project = Project(tmp_path, bucket, "in/*", format="csv")
    (tmp_path / "conf" / "p" / "sources.yml").write_text(json.dumps({"sources": sources}))
    steps = project.cli("run", "--json")["steps"]
    assert {step["status"] for step in steps} == {"done"}
    lake = Lake(storage_root(tmp_path, ".lakeloom"))
    published = refs.good(lake)

    def told_of(table, own):
        rows = lake.arrow(table, published[table]).to_pylist()
        return sorted(({name: each for name, each in row.items() if name not in own} for row in rows), key=repr)

    for kind in KINDS:
        for table, own in (("bronze.{}_{}", OF_THE_LANDING), ("quarantine.bronze__{}_{}", OF_THE_QUARANTINE)):
            landed = told_of(table.format(kind, "landed"), own)
            assert landed and told_of(table.format(kind, "direct"), own) == landed
    kept = [file for file in (tmp_path / ".lakeloom").rglob("*") if "landing" in file.parts and file.is_file()]
    assert kept and not [file for file in kept if "_direct" in str(file)]


@pytest.fixture
def place(bucket_of, tmp_path):
    bucket = bucket_of("s3")
    return bucket, place_of(bucket, "in/*", tmp_path)


def test_a_line_that_is_lost_is_not_waited_for_with_each_object(place, monkeypatch):
    bucket, where = place
    for number in range(40):
        bucket.put(f"in/{number}.csv", b"id\n1\n")
    batch, asked = objects.poll(where, [], changed="add", vanished="ignore"), []

    def lost(*words):
        asked.append(words)
        raise SourceError("LL-SOURCE-001", "the line is down", transient=True)

    monkeypatch.setattr(direct, "_entry", lost)
    with pytest.raises(SourceError, match="the line is down"):
        direct.looked(where, batch, config(f"{bucket.root}/in/*", format="csv").reading, None)
    assert len(asked) <= direct._THREADS


def test_what_is_packed_is_refused_and_much_is_looked_at_by_tasks(spark, place, monkeypatch):
    monkeypatch.setattr(direct, "_EXECUTORS_FROM_BYTES", 1)
    bucket, where = place
    names = ("a.csv", "b.csv.zst", "c.zip", "d:e.csv", "empty.csv")
    for name in names:
        bucket.put(f"in/{name}", b"" if name == "empty.csv" else b"id\n1\n")
    batch = objects.poll(where, [], changed="add", vanished="ignore")
    found, refused = direct.looked(where, batch, config(f"{bucket.root}/in/*", format="csv").reading, lambda: spark)
    told = {entry.path.rpartition("/")[2]: (entry.header, entry.problem) for entry in found}
    packed = (None, "it would have to be unpacked or renamed first, which access 'landed' does")
    assert not refused and told == {
        "a.csv": (("id",), None), "b.csv.zst": packed, "c.zip": packed, "d:e.csv": packed,
        "empty.csv": (None, "the file is empty"),
    }  # fmt: skip


def test_what_is_another_one_while_it_is_looked_at_is_left_to_the_next_poll(place):
    bucket, where = place
    bucket.put("in/a.csv", b"id\n1\n")
    batch = objects.poll(where, [], changed="add", vanished="ignore")
    bucket.put("in/a.csv", b"id\n2\n3\n")
    found, refused = direct.looked(where, batch, config(f"{bucket.root}/in/*", format="csv").reading, None)
    assert (found, refused) == ([], [])


def test_what_is_another_one_when_it_was_read_is_noticed(spark, place, tmp_path):
    """Spark lists an object and opens it later: of lines it takes what is there then."""
    bucket, where = place
    bucket.put("in/a.csv", b"id\n1\n")
    said = config(f"{bucket.root}/in/*", format="csv")
    said._place = where
    batch = objects.poll(where, [], changed="add", vanished="ignore")
    batch = Files.bring(said, batch, list, lambda: spark, tmp_path)
    (tmp_path / "there").mkdir()
    local = tmp_path / "there" / "a.csv"  # what Spark reads here, without a connector
    local.write_bytes(b"id\n1\n")
    batch["files"][0]["at"] = str(local)
    landing = Files.read(spark.newSession(), said, batch, None, Path(tmp_path))
    landing.shared.persist()
    assert [row["id"] for row in landing.good.collect()] == ["1"]
    landing.sound()
    bucket.put("in/a.csv", b"id\n2\n3\n")
    with pytest.raises(FilesChangedError):
        landing.sound()
    landing.shared.unpersist()
