"""Packed files and archives of a landing folder and of a store → bronze: once each, by names, what is damaged whole."""

import bz2
import gzip

import pytest

from lakeloom.config.load import read
from lakeloom.core.errors import FixError
from lakeloom.flow import reland
from lakeloom.flow.planning import plan
from lakeloom.flow.runner import run
from lakeloom.project.check import checked
from lakeloom.sources.files_config import FilesConfig
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from tests.sources.test_packed import STREAMS, tarred, zipped


def csv(*numbers):
    return ("id,word\n" + "".join(f"{number},w{number}\n" for number in numbers)).encode()


class Project:
    def __init__(self, home, path, stores="{}"):
        (home / "conf" / "shop").mkdir(parents=True)
        (home / "conf" / "base.yml").write_text(f"project: shop\nretries: 0\nstores: {stores}\n")
        (home / "conf" / "shop" / "sources.yml").write_text(
            f"sources:\n  words: {{kind: files, path: '{path}', format: csv, columns: {{id: bigint}}}}\n"
        )
        self.home = home

    @property
    def checked(self):
        return checked(read(self.home / "conf"))

    def run(self):
        (step,) = run(self.checked).steps
        return step

    def table(self, name):
        lake = Lake(self.checked.root)
        return lake.arrow(name, refs.good(lake)[name]).to_pylist()

    def rows(self):
        return sorted((row["id"], row["_file"].rpartition("in/")[2]) for row in self.table("bronze.words"))


def test_each_lands_once_under_its_own_name_and_what_is_damaged_goes_to_quarantine_whole(tmp_path, spark):
    shop, folder = Project(tmp_path, "in/*"), tmp_path / "in"
    folder.mkdir()
    made = {
        "a.csv.bz2": bz2.compress(csv(1)), "b.zip": zipped({"x.csv": csv(2, 3), "deep/y.csv.gz": gzip.compress(csv(4))}),
        "c.tar.zst": STREAMS[".zst"](tarred({"z.csv": csv(5) + b"bad,row\n"})), "d.zip": b"PK damaged", "e.csv": csv(6),
        "f.zip": zipped({"other.csv": csv(2, 3)}),
    }  # fmt: skip
    for name, content in made.items():
        (folder / name).write_bytes(content)
    (planned,) = plan(shop.checked)
    assert planned.reasons == ("6 new files",) and not (shop.checked.root / "landing").exists()
    done = shop.run()
    assert (done.status, done.rows_out, done.quarantined) == ("done", 6, 2), done.error
    assert shop.rows() == [
        (1, "a.csv.bz2"), (2, "b.zip!/x.csv"), (3, "b.zip!/x.csv"), (4, "b.zip!/deep/y.csv.gz"), (5, "c.tar.zst!/z.csv"),
        (6, "e.csv"),
    ]  # fmt: skip
    kept = {row["file"].rpartition("in/")[2]: row for row in shop.table("quarantine.bronze__words")}
    assert set(kept) == {"d.zip", "c.tar.zst!/z.csv"}
    assert (kept["d.zip"]["bytes"], kept["d.zip"]["reasons"]) == (
        made["d.zip"],
        ["it is no zip, is cut off or damaged"],
    )
    assert kept["c.tar.zst!/z.csv"]["raw"] == "bad,row"
    assert shop.run().status == "skipped"
    # Of an archive that comes again with more, only that lands.
    (folder / "b.zip").write_bytes(zipped({"x.csv": csv(2, 3), "new.csv": csv(7)}))
    assert shop.run().rows_out == 1
    assert shop.rows()[-1] == (7, "b.zip!/new.csv")
    assert shop.run().status == "skipped"


def test_files_in_another_encoding_land_as_what_they_say(tmp_path, spark):
    shop, folder = Project(tmp_path, "in/*"), tmp_path / "in"
    folder.mkdir()
    sources = tmp_path / "conf" / "shop" / "sources.yml"
    sources.write_text(sources.read_text().replace("format: csv", "format: csv, encoding: utf-16"))
    (folder / "a.csv").write_bytes("id,word\n1,Zoë\n2,漢\n".encode("utf-16"))
    (folder / "b.csv.gz").write_bytes(gzip.compress("id,word\n3,ü\n".encode("utf-16")))
    (folder / "c.csv").write_bytes(csv(4) + b"1")
    done = shop.run()
    assert (done.rows_out, done.quarantined) == (3, 1)
    assert {(row["id"], row["word"]) for row in shop.table("bronze.words")} == {(1, "Zoë"), (2, "漢"), (3, "ü")}
    (kept,) = shop.table("quarantine.bronze__words")
    assert (kept["reasons"], kept["bytes"]) == (["it is not written in utf-16"], csv(4) + b"1")
    assert shop.run().status == "skipped"


def test_an_archive_that_is_rewritten_before_it_lands_comes_as_it_is_now(tmp_path, spark, monkeypatch):
    shop, folder = Project(tmp_path, "in/*"), tmp_path / "in"
    folder.mkdir()
    (folder / "a.zip").write_bytes(zipped({"x.csv": csv(1)}))
    from lakeloom.flow import asking

    real = asking.poll

    def poll(*words, **more):
        batch = real(*words, **more)
        (folder / "a.zip").write_bytes(zipped({"x.csv": csv(2), "y.csv": csv(3)}))
        return batch

    monkeypatch.setattr(asking, "poll", poll)
    assert shop.run().rows_out == 0
    monkeypatch.undo()
    assert shop.run().rows_out == 2
    assert [row[0] for row in shop.rows()] == [2, 3]
    assert shop.run().status == "skipped"


@pytest.mark.parametrize("kind", ["moto"])
def test_archives_of_a_store_are_unpacked_behind_their_copy(tmp_path, spark, bucket_of, kind):
    import json

    bucket = bucket_of(kind)
    shop = Project(tmp_path, f"{bucket.root}/in/**", json.dumps(bucket.stores))
    bucket.put("in/a.zip", zipped({"x.csv": csv(1), "y.csv": csv(2)}))
    bucket.put("in/b.csv.xz", STREAMS[".xz"](csv(3)))
    assert shop.run().rows_out == 3
    assert shop.rows() == [(1, "a.zip!/x.csv"), (2, "a.zip!/y.csv"), (3, "b.csv.xz")]
    assert shop.run().status == "skipped"
    bucket.put("in/a.zip", zipped({"x.csv": csv(1), "y.csv": csv(22)}))
    assert shop.run().rows_out == 1
    assert [row[0] for row in shop.rows()] == [1, 2, 3, 22]


def test_a_corrected_file_is_one_file_in_utf8(tmp_path):
    config = FilesConfig(kind="files", path="in/*", format="csv", encoding="utf-16")
    (tmp_path / "a.csv").write_text("id,word\n1,ü\n")
    assert reland._inspected(str(tmp_path / "a.csv"), config, "a.csv").header == ("id", "word")
    (tmp_path / "a.zip").write_bytes(zipped({"x.csv": csv(1)}))
    with pytest.raises(FixError) as caught:
        reland._inspected(str(tmp_path / "a.zip"), config, "a.zip")
    assert (caught.value.code, "packed" in caught.value.message) == ("LL-FIX-003", True)
