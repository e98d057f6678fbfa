"""Vaults: AWS against an emulator; Google, Azure and Databricks against servers that answer as their references say."""

import base64
import functools
import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from lakeloom.config.placeholders import resolve
from lakeloom.config.vaults import asked
from lakeloom.core.errors import ConfigError
from tests.servers import KEYS

MARKED = "walrus-4711"


@pytest.fixture(autouse=True)
def forgotten():
    asked._KEPT.clear()
    yield
    asked._KEPT.clear()


class Reference(http.server.BaseHTTPRequestHandler):
    """Answers for secrets ``fleet/password`` as the three REST references say; anything else is a 404, or a 403."""

    seen = ()

    def log_message(self, *_):
        return

    def do_GET(self):
        self.seen.append(self.path)
        if self.headers.get("Authorization") != "Bearer marked-token":
            self.send_error(403)
            return
        place, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
        encoded = base64.b64encode(MARKED.encode()).decode()
        answers = {
            "/v1/projects/shop/secrets/fleet-password/versions/latest:access": {"payload": {"data": encoded}},
            "/secrets/fleet-password": {"value": MARKED} if query.get("api-version") == ["7.4"] else None,
            "/api/2.0/secrets/get": {"value": encoded}
            if (query.get("scope"), query.get("key")) == (["fleet"], ["password"]) else None,
        }  # fmt: skip
        answer = answers.get(place.path)
        if answer is None:
            self.send_error(404)
            return
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def reference(tmp_path, monkeypatch):
    handler = type("Handler", (Reference,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at, token = f"http://127.0.0.1:{server.server_address[1]}", tmp_path / "token"
    token.write_text("marked-token\n")
    monkeypatch.setenv("DATABRICKS_HOST", at)
    monkeypatch.setenv("DATABRICKS_TOKEN", "marked-token")
    entries = {
        "gcp": f"gcp://shop?endpoint={at}&token={token}", "azure": f"azure://shop.vault.azure.net?endpoint={at}&token={token}",
        "databricks": "databricks:",
    }  # fmt: skip
    yield handler.seen, entries, token
    server.shutdown()
    server.server_close()


def told(monkeypatch, entries, name="fleet/password"):
    monkeypatch.setenv("LAKELOOM_SECRETS", entries)
    return resolve("${secret:" + name + "}", "sources.planes.password")


@pytest.mark.parametrize("kind", ["gcp", "azure", "databricks"])
def test_a_vault_gives_what_its_reference_says_and_is_asked_once_for_some_minutes(reference, monkeypatch, kind):
    seen, entries, _ = reference
    found = told(monkeypatch, entries[kind])
    assert (found.reveal(), str(found)) == (MARKED, "***")
    assert told(monkeypatch, entries[kind]).reveal() == MARKED and len(seen) == 1
    monkeypatch.setattr(asked, "_HOLDS_S", 0.0)
    told(monkeypatch, entries[kind])
    assert len(seen) == 2
    with pytest.raises(ConfigError) as caught:
        told(monkeypatch, entries[kind], "fleet/none")
    assert (caught.value.code, caught.value.where) == ("LL-CONF-008", "sources.planes.password")
    assert "the secret fleet/none is not set" in caught.value.message


def test_a_vault_that_refuses_or_is_not_there_is_told_without_a_word_of_its_own(reference, monkeypatch):
    _, entries, token = reference
    token.write_text("other-token-4711")
    for kind in ("gcp", "azure"):
        with pytest.raises(ConfigError) as caught:
            told(monkeypatch, entries[kind])
        assert f"{kind} does not give its secrets (HTTP 403)" in str(caught.value) and "4711" not in str(caught.value)
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match="databricks does not give its secrets"):
        told(monkeypatch, "databricks:")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    with pytest.raises(ConfigError, match="DATABRICKS_TOKEN is not set"):
        told(monkeypatch, "databricks:")
    with pytest.raises(ConfigError) as caught:
        told(monkeypatch, "asw://eu-west-1")
    assert caught.value.code == "LL-CONF-020" and "use 'aws'" in caught.value.fix


def test_aws_and_a_folder_one_after_the_other(ports, tmp_path, monkeypatch):
    import boto3

    endpoint = f"http://127.0.0.1:{ports('moto')}"
    for name, value in (("ACCESS_KEY_ID", KEYS["access_key"]), ("SECRET_ACCESS_KEY", KEYS["secret_key"])):
        monkeypatch.setenv(f"AWS_{name}", value)
    client = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url=endpoint)
    client.create_secret(Name="shop/fleet/password", SecretString=MARKED)
    client.create_secret(Name="shop/fleet/binary", SecretBinary=b"bytes-4711")
    entries = f"{tmp_path} aws://eu-west-1/shop/?endpoint={endpoint}"
    assert told(monkeypatch, entries).reveal() == MARKED
    assert told(monkeypatch, entries, "fleet/binary").reveal() == "bytes-4711"
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "password").write_text("nearer\n")
    (tmp_path / "fleet" / "password").chmod(0o600)
    assert told(monkeypatch, entries).reveal() == "nearer"
    with pytest.raises(ConfigError, match="is not set"):
        told(monkeypatch, entries, "fleet/none")
    with pytest.raises(ConfigError, match=r"aws does not give its secrets"):
        told(monkeypatch, "aws://eu-west-1?endpoint=http://127.0.0.1:9")


def test_a_folder_with_a_blank_in_its_name_is_one_folder(tmp_path, monkeypatch):
    folder = tmp_path / "run time" / "fleet"
    folder.mkdir(parents=True)
    (folder / "password").write_text(MARKED)
    (folder / "password").chmod(0o600)
    (folder / "loose").symlink_to("/etc/hostname")
    assert told(monkeypatch, str(folder.parent)).reveal() == MARKED
    with pytest.raises(ConfigError, match="is not set"):
        told(monkeypatch, str(folder.parent), "fleet/loose")
