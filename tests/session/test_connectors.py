"""Hadoop's connectors: pinned, fetched when a project needs them, and what Spark does with each kind of store."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakeloom.core.errors import SetupError
from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from lakeloom.objects.translated import address, delta_rs, hadoop
from lakeloom.session import connectors as room
from lakeloom.session.connectors import FOLDERS, connectors, locked
from lakeloom.session.jars import Jar, jars_home, module
from lakeloom.session.settings import settings
from tests.servers import AZURITE_KEY, KEYS

CHECKOUT = Path(__file__).resolve().parents[2]


def test_every_folder_of_a_scheme_has_pinned_jars():
    pinned = locked()
    assert {folder for folders in FOLDERS.values() for folder in folders} == set(pinned)
    for jars in pinned.values():
        assert all(len(jar.sha256) == 64 and jar.version[0].isdigit() for jar in jars)


def test_a_jar_with_a_classifier_is_asked_for_by_it():
    asked = module([Jar("thing", "1", "0" * 64, "org.example", "shaded")])
    assert 'm:classifier="shaded"' in asked and 'org="org.example"' in asked
    assert Jar("thing", "1", "0" * 64, "org.example", "shaded").file == "thing-1-shaded.jar"


def test_what_is_missing_is_fetched_once_and_only_as_pinned(tmp_path, monkeypatch):
    jar, asked = Jar("thing", "1", hashlib.sha256(b"thing").hexdigest(), "org.example"), []
    monkeypatch.setattr(room, "locked", lambda: {"gs": [jar]})

    def fetch(wanted, folder, content=b"thing"):
        asked.extend(wanted)
        for each in wanted:
            (folder / each.file).write_bytes(content)

    found = connectors(tmp_path, ["gs"], fetch)
    assert found == [tmp_path / "gs" / "thing-1.jar"] and asked == [jar]
    assert connectors(tmp_path, ["gs", "gs"], fetch) == found and asked == [jar]
    found[0].unlink()
    with pytest.raises(SetupError) as caught:
        connectors(tmp_path, ["gs"], lambda wanted, folder: fetch(wanted, folder, b"other"))
    assert caught.value.code == "LL-SETUP-007" and not found[0].exists()


def test_the_jars_stand_behind_deltas_on_one_machine_and_nowhere_on_a_cluster(tmp_path):
    home, more = jars_home(), [tmp_path / "a.jar", tmp_path / "b.jar"]
    path = settings(home, None, more)["spark.driver.extraClassPath"]
    assert path.endswith(f":{more[0]}:{more[1]}") and "delta-spark" in path.split(":")[0]
    assert str(more[0]) not in str(settings(home, {"spark.master": "spark://nowhere:1"}, more))


def opened(root, **said):
    return opening(Address.parse(f"{root}/lake"), {root: said})


def test_what_a_store_is_told_is_told_to_hadoop_and_to_delta_rs():
    keyed = opened("s3://b", region="eu-west-1", access_key="a", secret_key="s", encryption="aws:kms", kms_key="k")
    words, options = hadoop(keyed), delta_rs(keyed)
    assert words["fs.s3a.bucket.b.encryption.algorithm"] == "SSE-KMS"
    assert words["fs.s3a.bucket.b.encryption.key"] == options["aws_sse_kms_key_id"] == "k"
    assert options["aws_conditional_put"] == "etag"
    assert "fs.s3a.bucket.b.endpoint" not in words and words["fs.s3a.bucket.b.path.style.access"] == "false"
    short = hadoop(opened("s3://b", access_key="a", secret_key="s", session_token="t"))
    assert short["fs.s3a.bucket.b.aws.credentials.provider"].endswith("TemporaryAWSCredentialsProvider")
    assert "aws_access_key_id" not in delta_rs(opened("s3://b")), "the chain of the library finds them"
    sse_c = opened("s3://b", customer_key="A" * 44)
    assert hadoop(sse_c)["fs.s3a.bucket.b.encryption.algorithm"] == "SSE-C"
    assert delta_rs(sse_c)["aws_server_side_encryption"] == "sse-c"


def test_azures_hosts_and_schemes_go_by_the_endpoint():
    root = "abfss://c@shop.dfs.core.windows.net"
    cloud, local = opened(root, key="k"), opened(root, key="k", endpoint="http://127.0.0.1:1")
    assert address(cloud, "t") == f"{root}/t" and address(local, "t").startswith("abfs://")
    assert hadoop(cloud)["fs.azure.account.key.shop.dfs.core.windows.net"] == "k"
    assert hadoop(cloud)["fs.azure.account.key.shop.blob.core.windows.net"] == "k"
    signed = hadoop(opened(root, signature="?sv=1"))
    assert signed["fs.azure.sas.fixed.token.shop.dfs.core.windows.net"] == "sv=1"
    assert delta_rs(local)["azure_storage_endpoint"] == "http://127.0.0.1:1/shop"


def test_a_key_file_of_google_is_named_to_both():
    keyed = opened("gs://b", credentials_file="/k.json", project="p")
    assert hadoop(keyed)["fs.gs.auth.service.account.json.keyfile"] == "/k.json"
    assert delta_rs(keyed)["google_service_account"] == "/k.json"


def test_spark_writes_each_store_creates_a_file_once_and_shows_no_key(bucket_of):
    buckets = {kind: bucket_of(kind) for kind in ("s3", "gs", "abfss")}
    asked = [{"root": bucket.root, "stores": bucket.stores} for bucket in buckets.values()]
    done = subprocess.run(
        [sys.executable, "-m", "tests.session.connector_probe"], input=json.dumps(asked), text=True,
        capture_output=True, timeout=400, check=False, cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": f"{CHECKOUT / 'lib'}{os.pathsep}{CHECKOUT}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    for kind, bucket in buckets.items():
        told = found["told"][bucket.root]
        assert told["ids"] == [0, 2, 3, 4], kind
        assert told["created"] == 1, f"{kind}: of two that create the same file {told['created']} succeeded"
    assert found["told"][buckets["s3"].root]["committed"] == 1
    assert "java.nio.file.FileAlreadyExistsException" in done.stderr, "which Delta takes for another's commit"
    assert found["settings"]["spark.delta.logStore.s3a.impl"] == "lakeloom.ConditionalLogStore"
    everywhere = json.dumps(found["settings"]) + "\n".join(found["commands"]) + done.stderr
    for secret in (AZURITE_KEY, KEYS["secret_key"]):
        assert secret not in everywhere
