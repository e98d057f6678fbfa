"""A source on one cloud, tables on another, exports to a third: killed about a commit, and gone on with elsewhere.

Each process that goes on has a home of its own, as on another machine: nothing but the buckets tells it of the one
that died.
"""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from tests.scenarios.dying import Moment, dies, finishes

COMMIT = "lakeloom.flow.write:commit"
# Source → root → outlet.
CLOUDS = {"S3 to Azure": ("s3", "abfss", "gs"), "Azure to Google": ("abfss", "gs", "s3"),
          "Google to S3": ("gs", "s3", "abfss")}  # fmt: skip
# Each death is the one of a run: before the commit all is landed, after it nothing is published.
SOME = [Moment("before", COMMIT, "bronze.landed"), Moment("after", COMMIT, "bronze.direct")]
OTHERS = [Moment("before", COMMIT, "bronze.direct"), Moment("after", COMMIT, "bronze.landed")]


class Across:
    """A project of two sources in one bucket, with its root in another and its export into a third."""

    def __init__(self, folder, source, root, outlet):
        self._folder, self._number = folder, 0
        self.source, self._root, self._outlet = source, root, outlet
        self.told = {"landed": [], "direct": []}
        self.elsewhere()

    def elsewhere(self):
        """Go on in a home that knows only the config."""
        self._number += 1
        self.home = self._folder / f"machine-{self._number}"
        conf = self.home / "conf" / "across"
        conf.mkdir(parents=True)
        stores = self.source.stores | self._root.stores | self._outlet.stores
        base = {"project": "across", "root": f"{self._root.root}/lake", "stores": stores, "retries": 1}
        (self.home / "conf" / "base.yml").write_text(json.dumps(base))
        landed = {"path": f"{self.source.root}/landed/*.csv", "format": "csv", "columns": {"id": "bigint"}}
        direct = {"path": f"{self.source.root}/direct/*.parquet", "format": "parquet", "access": "direct"}
        sources = {"landed": {"kind": "files"} | landed, "direct": {"kind": "files"} | direct}
        (conf / "sources.yml").write_text(json.dumps({"sources": sources}))
        gone = {"from": "bronze.landed", "to": f"{self._outlet.root}/gone", "mode": "new", "columns": ["id"]}
        (conf / "exports.yml").write_text(json.dumps({"exports": {"gone": gone | {"format": "json"}}}))

    @property
    def conf(self):
        return self.home / "conf"

    def deliver(self, name, *ids):
        """Put an object to each source."""
        out = io.BytesIO()
        pq.write_table(pa.table({"id": pa.array(ids, pa.int64())}), out)
        for source, ending, content in (
            ("landed", "csv", "id,word\n" + "".join(f"{each},w\n" for each in ids)), ("direct", "parquet", out.getvalue()),
        ):  # fmt: skip
            key = f"{source}/{name}.{ending}"
            self.source.put(key, content.encode() if isinstance(content, str) else content)
            self.told[source] += [(f"{self.source.root}/{key}", at, each) for at, each in enumerate(ids)]

    def run(self):
        return {step["name"]: step["status"] for step in self._told("run")["steps"]}

    def held(self):
        """Return for each source file, place in it from 0 and value of each row of bronze."""
        parts = [
            f"select '{each}' as source, _file, _position.record as at, id from bronze.{each}" for each in self.told
        ]
        rows, found = self._told("sql", " union all ".join(parts)), {}
        for source in self.told:
            own = [row for row in rows if row["source"] == source]
            first = min(row["at"] for row in own)
            found[source] = sorted((row["_file"], row["at"] - first, row["id"]) for row in own)
        return found

    def _told(self, *words):
        # By a process of its own: delta-rs holds this one's interpreter while it waits for Google's front, which is in it.
        return json.loads(finishes(self.conf, words[0], "--json", *words[1:]))

    def gone(self):
        """Return the numbers that a reader of the export's manifests finds."""
        store = opening(Address.parse(f"{self._outlet.root}/x"), self._outlet.stores).open()
        found = {each.key.removeprefix("gone/"): each for each in store.find("gone/")}

        def content(key):
            return store.part(found[key], 0, found[key].size)

        newest = json.loads(content("_manifest.json"))
        keys = [each["key"] for part in newest["manifests"] for each in json.loads(content(part))["objects"]]
        return sorted(json.loads(line)["id"] for key in keys for line in content(key).splitlines())


def settled(across):
    """Another run does nothing, and bronze and what went out hold what the source was told."""
    assert set(across.run().values()) == {"skipped"}
    assert across.held() == {source: sorted(told) for source, told in across.told.items()}
    assert across.gone() == sorted(number for _, _, number in across.told["landed"])


@pytest.fixture
def across(bucket_of, tmp_path, request):
    made = Across(tmp_path, *map(bucket_of, CLOUDS[request.param]))
    made.deliver("a", 1, 2)
    made.deliver("b", 3)
    return made


@pytest.mark.timeout(300)
@pytest.mark.parametrize("across", ["S3 to Azure"], indirect=True)
def test_what_dies_before_a_commit_lands_once_across_clouds(across):
    dies(across.conf, Moment("before", COMMIT, "bronze.landed"), "run", "bronze.landed")
    across.elsewhere()
    assert set(across.run().values()) == {"done"}
    settled(across)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("deaths", [SOME, OTHERS], ids=["some", "others"])
@pytest.mark.parametrize("across", CLOUDS, indirect=True)
def test_what_dies_about_a_commit_lands_once_between_any_two_clouds(across, deaths):
    for number, moment in enumerate(deaths):
        dies(across.conf, moment, "run", moment.word)
        across.deliver(f"c{number}", 10 + number)
        across.elsewhere()
    assert set(across.run().values()) == {"done"}
    across.run()  # what came after a death was not yet pinned by the execution that was gone on with
    settled(across)
