"""The shop with its storage root in an object store, by the command line: run, killed, beside another run, and read."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import pytest

from lakeloom.config.load import read
from lakeloom.core.errors import LakeloomError
from lakeloom.objects.path import ObjectPath
from lakeloom.project.check import checked
from lakeloom.store import lease
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked
from tests.servers import AZURITE_KEY, KEYS
from tests.servers.counted import counted
from tests.shop import ORDERS_2, drop, lay_out

CHECKOUT = Path(__file__).resolve().parents[2]
SECRETS = (AZURITE_KEY, KEYS["secret_key"])
# Of a run with nothing new. A commit is asked for twice when its table is opened.
REQUESTS_A_TABLE, REFS_OPENED = 25, 4


class Remote:
    """The shop on a home, its root in a bucket."""

    def __init__(self, home, bucket):
        self.home, self.bucket = home, bucket
        lay_out(home)
        self.reach(bucket.stores)

    def reach(self, stores):
        """Let the config say how the bucket is reached."""
        said = {"project": "shop", "seed": 7, "root": f"{self.bucket.root}/lake", "stores": stores, "retries": 2}
        (self.home / "conf" / "base.yml").write_text(json.dumps(said))

    @contextmanager
    def counting(self):
        """Let all that is asked of the store go through a front that counts."""
        ((place, own),) = self.bucket.stores.items()
        with counted(int(own["endpoint"].rpartition(":")[2])) as front:
            self.reach({place: own | {"endpoint": f"http://127.0.0.1:{front.port}"}})
            yield front
        self.reach(self.bucket.stores)

    @property
    def words(self):
        return {"cwd": self.home, "env": os.environ | {"PYTHONPATH": str(CHECKOUT / "lib")}, "text": True}

    def cli(self, *words, status=0):
        done = subprocess.run(
            [sys.executable, "-m", "lakeloom.cli", *words], capture_output=True, timeout=400, check=False, **self.words
        )
        assert done.returncode == status, done.stdout[-2000:] + done.stderr[-3000:]
        return json.loads(done.stdout) if "--json" in words else done.stdout + done.stderr

    def begin(self, *words):
        return subprocess.Popen(
            [sys.executable, "-m", "lakeloom.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, **self.words,
        )  # fmt: skip

    def statuses(self, *words):
        return {step["name"]: step["status"] for step in self.cli("run", "--json", *words)["steps"]}

    def sql(self, text):
        return self.cli("sql", "--json", text)

    @property
    def root(self):
        return checked(read(self.home / "conf")).root


@pytest.fixture
def remote(bucket_of, tmp_path, request):
    return Remote(tmp_path, bucket_of(getattr(request, "param", "s3")))


CITIES = "select city, orders, amount from gold.cities order by city"


@pytest.mark.parametrize(
    "remote", ["s3", *(pytest.param(each, marks=pytest.mark.long) for each in ("gs", "abfss"))], indirect=True
)
def test_the_shop_runs_with_its_root_in_a_bucket(remote):
    assert set(remote.statuses().values()) == {"done"}
    assert remote.sql(CITIES) == [
        {"city": "Oslo", "orders": 1, "amount": 10.5}, {"city": "Rome", "orders": 1, "amount": 20.0},
    ]  # fmt: skip
    with remote.counting() as front:
        assert set(remote.statuses().values()) == {"skipped"}
    asked = Counter((method, unquote(path)) for method, path, _ in front.asked)
    tables = len(Lake(remote.root).tables())
    assert 0 < asked.total() <= REQUESTS_A_TABLE * tables, asked.most_common(20)
    # The log that all steps ask for the good versions is read a few times, and listed once a step.
    commits = [count for (method, path), count in asked.items() if "meta/refs/_delta_log/0" in path and "?" not in path]
    assert max(commits) <= REFS_OPENED * 2, asked.most_common(20)
    drop(remote.home, "orders/2026-02.csv", ORDERS_2)
    assert remote.statuses()["silver.orders"] == "done"
    after = [{"city": "Oslo", "orders": 2, "amount": 17.5}, {"city": "Rome", "orders": 1, "amount": 25.0}]
    assert remote.sql(CITIES) == after
    # Without Spark: what was, what is, what differs, and back.
    assert [entry["version"] for entry in remote.cli("history", "gold.cities", "--json")] == [1, 0]
    remote.cli("tag", "v1", "gold.cities")
    assert remote.cli("diff", "gold.cities", "0", "1", "--json")["after"]["version"] == 1
    remote.cli("restore", "gold.cities", "0")
    assert remote.sql(CITIES)[0]["orders"] == 1 and remote.sql(CITIES.replace("cities ", "cities@v1 ")) == after
    assert remote.cli("recover", "--json")["by_log"] == 3
    assert "are as they were written" in remote.cli("audit", "verify")
    # No folder of this machine has a table or an intent, and nothing anywhere a key.
    assert isinstance(remote.root, ObjectPath)
    left = [file for file in remote.home.rglob("*") if file.is_file()]
    assert not [file for file in left if "_delta_log" in file.parts or "intents" in file.parts]
    told = [
        file for file in left if file.name != "base.yml" and any(word.encode() in file.read_bytes() for word in SECRETS)
    ]
    assert told == []
    everything = [content for name, _ in remote.root.walk() if (content := (remote.root / name).read_bytes())]
    assert len(everything) > 30 and not any(word.encode() in each for each in everything for word in SECRETS)


def test_what_needs_links_is_refused_with_what_to_do(remote):
    for words in (["run", "--branch", "mine"], ["clone", "silver.orders", "silver.copy"]):
        said = remote.cli(*words, status=1) if words[0] == "run" else None
        assert said is None or ("LL-STORE-019" in said and "lakeloom clone --full" in said)


@pytest.mark.long
def test_a_run_that_is_killed_is_taken_up_where_it_was(remote):
    killed = 0
    for prefix in ("intents/bronze.orders/00000001.json", "intents/silver.orders/00000001.json"):
        process = remote.begin("run")
        try:
            until = time.monotonic() + 200
            while not (remote.root / prefix).is_file():
                assert time.monotonic() < until and process.poll() is None
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        killed += 1
    assert killed == 2 and (remote.root / "lock").is_file(), "it had no time to let go"
    assert "failed" not in remote.statuses().values()
    assert remote.sql(CITIES) == [
        {"city": "Oslo", "orders": 1, "amount": 10.5}, {"city": "Rome", "orders": 1, "amount": 20.0},
    ]  # fmt: skip
    assert remote.sql("select count(*) as n, count(distinct order_id) as d from bronze.orders") == [{"n": 3, "d": 3}]


@pytest.mark.parametrize("remote", ["s3", "gs", "abfss"], indirect=True)
def test_the_lock_is_held_by_one_renewed_and_taken_over_when_nobody_does(remote, monkeypatch):
    root = remote.root
    monkeypatch.setattr(lease, "LEASE_S", 2.0)
    with locked(root):
        first = root.store.head((root / "lock").key).version
        with pytest.raises(LakeloomError) as caught, locked(root):
            pass
        assert caught.value.code == "LL-RUN-002" and str(os.getpid()) in caught.value.message
        until = time.monotonic() + 20
        while root.store.head((root / "lock").key).version == first:
            assert time.monotonic() < until, "it was not renewed"
            time.sleep(0.05)
    assert not (root / "lock").exists()
    (root / "lock").create_text(json.dumps({"host": "another", "process": 1, "started": 0}))
    monkeypatch.setattr(lease, "_POLL_S", 0.1)
    with locked(root, wait_s=20):  # the other has not renewed it for twice the lease
        assert json.loads((root / "lock").read_text())["process"] == os.getpid()


def test_a_holder_that_died_on_this_machine_is_known_at_once(remote):
    script = (
        "import sys, os\nfrom lakeloom.config.load import read\nfrom lakeloom.project.check import checked\n"
        "from lakeloom.store.lock import locked\n"
        "with locked(checked(read('conf')).root):\n    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, **remote.words).returncode == 9
    assert (remote.root / "lock").is_file()
    with locked(remote.root):
        pass


@pytest.mark.parametrize("remote", ["s3", "gs", "abfss"], indirect=True)
def test_writers_of_one_table_that_meet_lose_no_row(remote):
    """The platform's own tables are appended to by delta-rs, whose commits the store's condition decides."""
    from concurrent.futures import ThreadPoolExecutor

    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    lake = Lake(remote.root)
    place, options = lake.path("meta.audit"), lake.options

    def write(number):
        for each in range(5):
            write_deltalake(place, pa.table({"n": [number * 100 + each]}), mode="append", storage_options=options)

    write(9)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = DeltaTable(place, storage_options=options)
    assert sorted(found.to_pyarrow_table().column("n").to_pylist()) == sorted(
        number * 100 + each for number in (9, 0, 1, 2, 3) for each in range(5)
    )


@pytest.mark.parametrize(
    ("root", "told"),
    [("https://somewhere.example/lake", "can't be a storage root"), ("s3://bucket", "no address"),
     ("s3://b/*", "can't be a storage root"), ("ftp://b/lake", "unknown")],
)  # fmt: skip
def test_a_root_that_is_none_is_a_mistake_of_the_config(tmp_path, root, told):
    lay_out(tmp_path)
    (tmp_path / "conf" / "base.yml").write_text(json.dumps({"project": "shop", "root": root}))
    with pytest.raises(LakeloomError) as caught:
        _ = checked(read(tmp_path / "conf")).root
    assert told in str(caught.value) and caught.value.code.startswith("LL-CONF-")
