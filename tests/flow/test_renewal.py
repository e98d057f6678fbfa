"""Credentials that end in the midst of a landing: renewed by the SDK's chain or the vault, or told; nothing is lost."""

import base64
import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lakeloom.config.vaults import asked
from lakeloom.flow.runner import run
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from tests import servers
from tests.config.test_vaults import Reference
from tests.flow.test_objects import Landing, csv
from tests.servers.guarded import guarded
from tests.sources.test_direct import written


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Take away every credential that this machine may have of its own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "LAKELOOM_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    asked.forget()
    return monkeypatch


class Place:
    """A bucket that the project reaches by a guard alone."""

    def __init__(self, bucket, guard, **more):
        self.root, self.put = bucket.root, bucket.put
        (said,) = bucket.stores.values()
        kept = {name: value for name, value in said.items() if name in ("region", "project")}
        self.stores = {bucket.root: kept | {"endpoint": f"http://127.0.0.1:{guard.port}", **more}}


def filled(bucket, count, size=1):
    for number in range(count):
        bucket.put(f"in/{number:02d}.csv", csv((number, "x" * size)))


def agent(monkeypatch, kind, guard):
    """Let the SDK's own chain find the guard as what gives a container or a machine its credentials."""
    at = f"127.0.0.1:{guard.port}"
    if kind == "moto":
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{at}/credentials")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    else:
        from google.auth.compute_engine import _metadata

        monkeypatch.setenv("GCE_METADATA_IP", at)
        monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", at)  # it has read GCE_METADATA_HOST when it was imported


@pytest.mark.parametrize("kind", ["moto", "gs"])
def test_a_landing_outlives_many_tokens_of_the_chain(bare, bucket_of, tmp_path, spark, kind):
    """Each says that it lives for two seconds, and does for four; the landing, at 20 kB a second, for longer."""
    bucket = bucket_of(kind)
    filled(bucket, 10, 10_000)
    port = int(next(iter(bucket.stores.values()))["endpoint"].rpartition(":")[2])
    with guarded(port, lives_s=4.0, says_s=2.0) as guard:
        agent(bare, kind, guard)
        shop = Landing(tmp_path, Place(bucket, guard, bandwidth=20_000))
        done = shop.run()
        assert (done.status, done.rows_out, done.warnings) == ("done", 10, ()), done.error
    assert len(guard.used) > 3
    assert [row[0] for row in shop.rows()] == list(range(10))


def test_a_landing_outlives_many_tokens_of_a_managed_identity(bare, tmp_path, spark):
    """Azure's own emulator refuses a token whose time is up, and is asked over TLS, as tokens want it."""
    certificate = servers.certificates(tmp_path / "tls")
    with servers.azurite(tmp_path, certificate) as port, guarded(None, lives_s=4.0, says_s=2.0) as guard:
        if port is None:
            pytest.skip("there is no npm to install azurite")
        bucket = servers.AzureBucket("loom-renewed", port, certificate[2])
        filled(bucket, 10, 10_000)
        bare.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{guard.port}/msi/token")
        bare.setenv("IDENTITY_HEADER", "guarded")
        (said,) = bucket.stores.values()
        bucket.stores = {
            bucket.root: {"endpoint": said["endpoint"], "ca": str(certificate[2]), "bandwidth": 15_000, "read_s": 20}
        }
        (tmp_path / "home").mkdir()
        shop = Landing(tmp_path / "home", bucket)
        done = shop.run()
        assert (done.status, done.rows_out, done.warnings) == ("done", 10, ()), done.error
    assert len(guard.used) > 1
    assert [row[0] for row in shop.rows()] == list(range(10))


def test_spark_too_renews_what_the_chain_gives_it(bare, bucket_of, tmp_path):
    """Read where they lie, in a process of its own: the chain of Hadoop's connector looks at the JVM's environment."""
    bucket = bucket_of("moto")
    for number in range(20):
        bucket.put(f"in/{number:02d}.parquet", written([number]))
    port = int(bucket.stores[bucket.root]["endpoint"].rpartition(":")[2])
    with guarded(port, lives_s=4.0, says_s=2.0) as guard:
        agent(bare, "moto", guard)
        shop = Landing(tmp_path, Place(bucket, guard))
        (shop.conf / "sources.yml").write_text(
            f"sources: {{clicks: {{kind: files, path: '{bucket.root}/in/*', format: parquet, access: direct}}}}\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "lakeloom.cli", "run", "--json"], cwd=tmp_path, capture_output=True, text=True,
            check=False, env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "lib")},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        (step,) = json.loads(done.stdout)["steps"]
        assert (step["status"], step["rows_out"]) == ("done", 20)
    # Python looks at the footers by tokens of its own; the reader is named by what asks.
    by_spark = [token for token, who in guard.who.items() if "hadoop" in who.lower()]
    assert len(by_spark) > 1, guard.who


@pytest.mark.parametrize("kind", ["moto", "gs"])
def test_a_token_that_ends_before_its_time_is_replaced_by_another_of_the_chain(bare, bucket_of, tmp_path, spark, kind):
    """As where it was taken back, or a clock goes wrong: the client takes it for good."""
    bucket = bucket_of(kind)
    filled(bucket, 24)
    bare.setattr("lakeloom.sources.objects._THREADS", 2)  # each that starts asks for a token of its own
    port = int(next(iter(bucket.stores.values()))["endpoint"].rpartition(":")[2])
    with guarded(port, uses=4) as guard:
        agent(bare, kind, guard)
        shop = Landing(tmp_path, Place(bucket, guard))
        done = shop.run()
        assert (done.status, done.rows_out) == ("done", 24), done.error
        assert len(guard.used) > 2 and guard.refused > 1
        assert shop.run().status == "skipped"
    assert [row[0] for row in shop.rows()] == list(range(24))


class Vault:
    """A folder of secrets with the keys of the bucket, and a token that ends."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder / "shop"
        self.folder.mkdir(parents=True)
        monkeypatch.setenv("LAKELOOM_SECRETS", str(folder))

    def keep(self, **words):
        for name, word in words.items():
            file = self.folder / name
            file.touch(mode=0o600)
            file.write_text(word)

    named = {name: "${secret:shop/" + name + "}" for name in ("access_key", "secret_key", "session_token")}


@pytest.fixture
def vaulted(bare, bucket_of, tmp_path, spark):
    """Give the landing, its guard and vault; a token is good for six requests."""
    bucket = bucket_of("moto")
    filled(bucket, 12)
    port = int(bucket.stores[bucket.root]["endpoint"].rpartition(":")[2])
    vault = Vault(tmp_path / "vault", bare)
    with guarded(port, uses=6) as guard:
        vault.keep(access_key="guarded-access", secret_key="guarded-secret", session_token=guard.token())
        (tmp_path / "home").mkdir()
        yield Landing(tmp_path / "home", Place(bucket, guard, **vault.named)), guard, vault


def test_a_token_of_the_config_that_ends_halfway_is_told_and_the_next_run_goes_on(vaulted):
    shop, guard, vault = vaulted
    done = shop.run()
    assert (done.status, done.rows_out) == ("done", 5), done.error  # one request was the listing
    (told,) = done.warnings
    assert told.startswith("LL-SOURCE-002: 7 objects could not be had and will be tried again")
    assert "has expired" in told and "marked" not in told
    failed = shop.run()
    assert (failed.status, failed.error["code"]) == ("failed", "LL-SOURCE-002")
    assert "has expired" in failed.error["message"] and "renew" in failed.error["fix"]
    while shop.run().status != "skipped":
        vault.keep(session_token=guard.token())
    assert [row[0] for row in shop.rows()] == list(range(12))


def test_a_token_that_was_renewed_in_the_vault_is_taken_up_in_the_midst_of_the_step(vaulted):
    shop, guard, vault = vaulted
    guard.on_refusal = lambda: vault.keep(session_token=guard.token())
    guard.uses = 8
    done = shop.run()
    assert (done.status, done.rows_out, done.warnings) == ("done", 12, ()), done.error
    assert [row[0] for row in shop.rows()] == list(range(12))
    assert shop.run().status in ("skipped", "done") and len(shop.rows()) == 12


def test_a_databases_password_that_was_changed_is_asked_for_anew(bare, databases, table, tmp_path):
    """What the vault gave holds for minutes, and the database knows another one by now."""
    database, words = databases("postgresql"), ["walrus-one-4711", "walrus-two-4711"]
    role, seen = f"{table}_reader", []
    database.run(
        f"CREATE ROLE {role} LOGIN PASSWORD '{words[0]}'", f"CREATE TABLE {table} (id bigint)",
        f"GRANT SELECT ON {table} TO {role}", f"INSERT INTO {table} VALUES (1)", f"CREATE SCHEMA {role} AUTHORIZATION {role}",
    )  # fmt: skip
    kept = type("Kept", (Secrets,), {"word": words[0], "seen": seen})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kept))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        (tmp_path / "token").write_text("marked-token")
        bare.setenv(
            "LAKELOOM_SECRETS",
            f"gcp://shop?endpoint=http://127.0.0.1:{server.server_address[1]}&token={tmp_path}/token",
        )
        conf = tmp_path / "conf" / "shop"
        conf.mkdir(parents=True)
        (tmp_path / "conf" / "base.yml").write_text("project: shop\nretries: 0\n")
        said = {"kind": "jdbc", "url": database.url, "table": table, "user": role,
                "password": "${secret:fleet/password}", "incremental": {"by": "id"}}  # fmt: skip
        (conf / "sources.yml").write_text(json.dumps({"sources": {"planes": said}}))
        said = {"kind": "jdbc", "url": database.url, "table": f"{role}.out", "user": role, "create": True,
                "password": "${secret:fleet/password}"}  # fmt: skip
        (conf / "exports.yml").write_text(json.dumps({"exports": {"out": {"from": "bronze.planes", "to": said}}}))
        first, sent = _run(tmp_path)
        assert (sent.status, sent.rows_out) == ("done", 1), sent.error
        assert (first.status, first.rows_out, len(seen)) == ("done", 1, 1), first.error
        database.run(f"ALTER ROLE {role} PASSWORD '{words[1]}'", f"INSERT INTO {table} VALUES (2)")
        kept.word = words[1]
        second, sent = _run(tmp_path)
        assert (second.status, second.rows_out, len(seen)) == ("done", 1, 2), second.error
        assert (sent.status, sent.rows_out) == ("done", 2), sent.error
        database.run(f"ALTER ROLE {role} PASSWORD 'walrus-three-4711'")
        kept.word = "walrus-three-4711"
        (sent,) = _run(tmp_path, "exports.out", full_refresh=True)
        assert (sent.status, sent.rows_out, len(seen)) == ("done", 2, 3), sent.error
        # A wrong password is not tried again and again: the vault is asked, and the database once a run.
        database.run(f"ALTER ROLE {role} PASSWORD 'another'")
        (third,) = _run(tmp_path, "bronze.planes")
        assert (third.status, third.error["code"], len(seen)) == ("failed", "LL-SOURCE-002", 4)
        assert "walrus" not in str(third)
    finally:
        server.shutdown()
        server.server_close()
        database.run(f"DROP TABLE {table}", f"DROP SCHEMA {role} CASCADE", f"DROP ROLE {role}")
    lake = Lake(tmp_path / ".lakeloom")
    found = lake.arrow("bronze.planes", refs.good(lake)["bronze.planes"]).to_pylist()
    assert sorted(row["id"] for row in found) == [1, 2]


class Secrets(Reference, http.server.BaseHTTPRequestHandler):
    """A vault whose word may change."""

    word = ""

    def do_GET(self):
        self.seen.append(self.path)
        body = json.dumps({"payload": {"data": base64.b64encode(self.word.encode()).decode()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _run(home, *patterns, **options):
    from lakeloom.config.load import read
    from lakeloom.project.check import checked

    return run(checked(read(home / "conf")), patterns, **options).steps
