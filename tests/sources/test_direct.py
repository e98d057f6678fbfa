"""Objects that Spark reads where they lie: looked at by their footers, read by a run, never copied."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import orc, parquet
from pydantic import ValidationError

from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from lakeloom.sources import direct, listing, objects
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.ledger import entries

CHECKOUT = Path(__file__).resolve().parents[2]
ODD = "in/a b%20+#é[1].parquet"


def written(ids, kind=parquet.write_table):
    out = io.BytesIO()
    kind(pa.table({"id": pa.array(ids, pa.int64()), "w": [f"w{each}" for each in ids]}), out)
    return out.getvalue()


def config(path, **more):
    return FilesConfig.model_validate({"kind": "files", "path": path, "format": "parquet", "access": "direct"} | more)


def place_of(bucket, pattern, home):
    address = Address.parse(f"{bucket.root}/{pattern}")
    return objects.Place(address, opening(address, bucket.stores), home, "landing/x")


@pytest.mark.parametrize(
    ("more", "told"),
    [({"path": "in/*.parquet"}, "addresses of S3"), ({"path": "https://h/a.parquet"}, "addresses of S3"),
     ({"format": "avro"}, "csv, json, parquet, orc, text and fixed"),
     ({"format": "csv", "encoding": "latin-1"}, "UTF-8")],
)  # fmt: skip
def test_what_can_not_be_read_directly_is_a_mistake_of_the_config(more, told):
    with pytest.raises(ValidationError, match=told):
        config(**({"path": "s3://b/in/*.parquet"} | more))


def test_an_address_stays_one_and_is_written_as_spark_writes_it():
    place = "s3a://b/in/a b[1].parquet"
    assert listing.full_path(place, Path("/home")) == place
    assert listing.spark_path(place) == "s3a://b/in/a b\\[1\\].parquet"
    assert listing.uri(place) == "s3a://b/in/a%20b%5B1%5D.parquet"


@pytest.mark.parametrize("kind", ["s3", "gs", "abfss"])
def test_footers_tell_the_columns_and_what_is_damaged(bucket_of, tmp_path, kind):
    bucket = bucket_of(kind)
    bucket.put("in/a.parquet", written(range(1000)))
    bucket.put("in/b.orc", b"no footer")
    bucket.put("in/c.parquet", b"PAR1 and no more")
    bucket.put("in/d.parquet", b"")
    place = place_of(bucket, "in/*.parquet", tmp_path)
    batch = objects.poll(place, [], changed="add", vanished="ignore")
    found, refused = direct.looked(place, batch, config(f"{bucket.root}/in/*.parquet").reading, None)
    assert refused == []
    told = {entry.path.rpartition("/")[2]: (entry.header, entry.problem) for entry in found}
    assert told == {
        "a.parquet": (("id\tint64", "w\tstring"), None),
        "c.parquet": (None, "it is not Parquet, or is truncated"),
        "d.parquet": (None, "the file is empty"),
    }
    assert direct.moved(place, found) == []
    bucket.put("in/a.parquet", written(range(5)))
    assert direct.moved(place, found) == [f"{bucket.root}/in/a.parquet"]
    bucket.delete("in/a.parquet")
    assert direct.moved(place, found) == [f"{bucket.root}/in/a.parquet"]
    assert list(tmp_path.iterdir()) == [], "nothing was copied"


class Project:
    """A project of one source that is read directly."""

    def __init__(self, home, bucket, pattern, **more):
        self.home = home
        (home / "conf" / "p").mkdir(parents=True)
        said = {"project": "p", "stores": bucket.stores}
        (home / "conf" / "base.yml").write_text(json.dumps(said))
        source = {"kind": "files", "path": f"{bucket.root}/{pattern}", "access": "direct"} | more
        (home / "conf" / "p" / "sources.yml").write_text(json.dumps({"sources": {"words": source}}))

    def cli(self, *words):
        done = subprocess.run(
            [sys.executable, "-m", "lakeloom.cli", *words], cwd=self.home, text=True, capture_output=True, timeout=400,
            check=False, env=os.environ | {"PYTHONPATH": str(CHECKOUT / "lib")},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
        return json.loads(done.stdout)

    def run(self):
        (step,) = self.cli("run", "--json")["steps"]
        return step


@pytest.mark.parametrize("kind", ["s3", *(pytest.param(each, marks=pytest.mark.long) for each in ("gs", "abfss"))])
def test_what_lies_in_a_bucket_lands_without_a_copy(bucket_of, tmp_path, kind):
    bucket = bucket_of(kind)
    for key, content in {"in/a.parquet": written([1, 2]), ODD: written([3]), "in/bad.parquet": b"PAR1"}.items():
        bucket.put(key, content)
    project = Project(tmp_path, bucket, "in/*.parquet", format="parquet", columns={"id": "bigint"})
    first = project.run()
    assert (first["status"], first["rows_out"], first["quarantined"]) == ("done", 3, 1)
    assert project.run()["status"] == "skipped"
    bucket.put("in/a.parquet", written([1, 2, 4]))
    assert project.run()["rows_out"] == 3
    rows = project.cli("sql", "--json", "select id, w, _file from bronze.words order by id, _position.epoch")
    assert [row["id"] for row in rows] == [1, 1, 2, 2, 3, 4]
    assert {row["_file"] for row in rows} == {f"{bucket.root}/in/a.parquet", f"{bucket.root}/{ODD}"}
    assert not [file for file in (tmp_path / ".lakeloom").rglob("*") if "landing" in file.parts and file.is_file()]
    broken = project.cli("sql", "--json", "select file from quarantine.bronze__words")
    assert [row["file"] for row in broken] == [f"{bucket.root}/in/bad.parquet"]


@pytest.mark.long
def test_orc_lands_too(bucket_of, tmp_path):
    bucket = bucket_of("s3")
    bucket.put("in/a.orc", written(range(100), orc.write_table))
    project = Project(tmp_path, bucket, "in/*.orc", format="orc")
    assert project.run()["rows_out"] == 100


def test_the_ledger_knows_an_object_by_its_version(bucket_of, tmp_path):
    bucket = bucket_of("s3")
    bucket.put("in/a.parquet", written([1]))
    said = config(f"{bucket.root}/in/*.parquet")
    place = place_of(bucket, "in/*.parquet", tmp_path)
    batch = objects.poll(place, [], changed="add", vanished="ignore")
    found, _ = direct.looked(place, batch, said.reading, None)
    landed = [{"files": [entry.as_dict() for entry in found], "split_bytes": 1}]
    assert objects.poll(place, landed, changed="add", vanished="ignore") is None
    assert entries(landed[0])[0].at.startswith("s3a://")
