"""Exports to real stores: whole or the version before, replaced and added, a store that refuses, and no secret anywhere."""

import io
import json

import pyarrow.parquet as pq
import pytest

from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from tests.flow.test_export import exported, say
from tests.shop import BASE, ORDERS_2, drop


@pytest.fixture
def reaching(ran, bucket_of, monkeypatch):
    """Give a function that lets the shop reach a bucket by secrets; it returns the bucket and what opens it."""

    def reach(kind):
        bucket, stores = bucket_of(kind), {}
        for root, each in bucket.stores.items():
            stores[root] = {key: "${secret:shop/" + key + "}" if "key" in key else value for key, value in each.items()}
            for key, value in each.items():
                if "key" in key:
                    monkeypatch.setenv(f"LAKELOOM_SECRET_SHOP_{key.upper()}", value)
        (ran.conf / "base.yml").write_text(f"{BASE}retries: 0\nstores: {json.dumps(stores)}\n")
        return bucket, opening(Address.parse(f"{bucket.root}/x"), bucket.stores).open()

    return reach


def objects(store, bucket, prefix):
    found = store.find(bucket.key(prefix))
    return {each.key.removeprefix(bucket.below): store.part(each, 0, each.size) for each in found}


@pytest.mark.parametrize("kind", ["s3", "gs", "abfss", "sftp"])
def test_a_table_goes_into_a_bucket_and_a_new_version_takes_its_place(ran, reaching, kind):
    bucket, store = reaching(kind)
    say(ran, f"  orders: {{from: silver.orders, to: '{bucket.root}/orders ü/', partition_by: [ordered_on]}}\n"
        f"  raw: {{from: bronze.orders, to: '{bucket.root}/raw', mode: new, format: json, compression: gzip}}\n")  # fmt: skip
    bucket.put("orders ü/notes.txt", b"mine")
    told = exported(ran)
    assert {step.status for step in told.values()} == {"done"}, [step.error for step in told.values()]
    first = objects(store, bucket, "orders ü/")
    assert sum(key.endswith(".parquet") for key in first) == 2
    drop(ran.home, "orders/2026-02.csv", ORDERS_2)
    assert {name: step.rows_out for name, step in exported(ran).items()} == {"exports.orders": 3, "exports.raw": 3}
    found = objects(store, bucket, "orders ü/")
    newest = json.loads(found["orders ü/_manifest.json"])
    data = {key for key in found if key.endswith(".parquet")}
    assert {f"orders ü/{each['key']}" for each in newest["objects"]} == data and not data & set(first)
    assert sum(pq.read_table(io.BytesIO(found[key])).num_rows for key in data) == 3 == newest["rows"]
    assert found["orders ü/notes.txt"] == b"mine" and newest["epoch"] == 2
    assert len([key for key in objects(store, bucket, "raw/") if key.endswith(".json.gz")]) == 2
    assert {step.status for step in exported(ran).values()} == {"skipped"}
    secrets = [value for each in bucket.stores.values() for key, value in each.items() if "key" in key]
    for file in ran.home.rglob("*"):
        if file.is_file():
            assert not any(secret.encode() in file.read_bytes() for secret in secrets), file
    for content in found.values():
        assert not any(secret.encode() in content for secret in secrets)


@pytest.mark.parametrize("kind", ["s3", "abfss"])
def test_a_bucket_that_refuses_is_told_and_keeps_nothing_else_from_going_on(ran, reaching, monkeypatch, kind):
    bucket, store = reaching(kind)
    say(
        ran,
        f"  orders: {{from: silver.orders, to: '{bucket.root}/orders/'}}\n  cities: {{from: gold.cities, to: out/cities}}\n",
    )
    word = "SECRET_KEY" if kind == "s3" else "KEY"
    wrong = "another-word-1234" if kind == "s3" else "YW5vdGhlci13b3JkLTEyMzQ="
    right = next(value for each in bucket.stores.values() for key, value in each.items() if key == word.lower())
    monkeypatch.setenv(f"LAKELOOM_SECRET_SHOP_{word}", wrong)
    told = exported(ran)
    error = told["exports.orders"].error
    assert (error["code"], told["exports.cities"].status) == ("LL-SOURCE-002", "done"), error
    assert wrong not in json.dumps(error) and not list(store.find("orders/"))
    monkeypatch.setenv(f"LAKELOOM_SECRET_SHOP_{word}", right)
    assert exported(ran)["exports.orders"].status == "done" and len(list(store.find("orders/"))) == 3


def test_a_store_that_goes_away_amid_an_export_is_gone_on_with(ran, reaching, monkeypatch):
    from lakeloom.objects.faults import unreachable
    from lakeloom.objects.s3 import S3

    bucket, store = reaching("s3")
    say(ran, f"  raw: {{from: bronze.orders, to: '{bucket.root}/raw', mode: new, format: json}}\n")
    assert exported(ran)["exports.raw"].status == "done"
    drop(ran.home, "orders/2026-02.csv", ORDERS_2)
    right = S3.put

    def lost(self, key, content, **more):
        right(self, key, content, **more)
        if key.endswith("_manifest.json"):
            raise unreachable("s3://x", "gone")

    def away(self, prefix):
        raise unreachable("s3://x", "gone")

    # It was put, and nobody was told: what can't be known is not taken for failed, or its rows would go out twice.
    monkeypatch.setattr(S3, "put", lost)
    find = S3.find
    asked = []

    def sometimes(self, prefix):
        asked.append(prefix)
        if len(asked) > 2:
            raise unreachable("s3://x", "gone")
        return find(self, prefix)

    monkeypatch.setattr(S3, "find", sometimes)
    failed = exported(ran)["exports.raw"]
    assert failed.error["code"] == "LL-SOURCE-001"
    monkeypatch.undo()
    for each in bucket.stores.values():
        for key, value in each.items():
            if "key" in key:
                monkeypatch.setenv(f"LAKELOOM_SECRET_SHOP_{key.upper()}", value)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    again = exported(ran)["exports.raw"]
    assert again.status == "done" and again.reason.startswith("goes on with epoch 2"), again
    rows = [
        line
        for key, content in objects(store, bucket, "raw/").items()
        if key.endswith(".json") and "_manifest" not in key
        for line in content.splitlines()
    ]
    assert len(rows) == 6
