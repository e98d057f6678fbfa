"""Vaults: AWS against an emulator; Google, Azure and Databricks against servers that answer as their references say."""

import base64
import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
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


BACKEND = '''\
"""A backend of the package keyring that keeps its passwords in a file of JSON."""
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

class Files(KeyringBackend):
    priority = 1

    def _all(self):
        file = Path(os.environ["KEPT"])
        return json.loads(file.read_text()) if file.exists() else {}

    def get_password(self, service, username):
        if os.environ.get("LOCKED"):
            raise KeyringLocked("locked: " + json.dumps(self._all()))
        return self._all().get(service, {}).get(username)

    def set_password(self, service, username, password):
        found = self._all()
        found.setdefault(service, {})[username] = password
        Path(os.environ["KEPT"]).write_text(json.dumps(found))
'''
ASKED = (
    "from lakeloom.config.placeholders import resolve\nfrom lakeloom.core.errors import ConfigError\n"
    "for name in ('fleet/password', 'fleet/none'):\n"
    "    try:\n        found = resolve('${secret:' + name + '}')\n        print(found, found.reveal())\n"
    "    except ConfigError as error:\n        print(str(error).replace(chr(10), ' '))\n"
)


def test_the_keyring_by_the_package_itself_its_command_and_a_backend(tmp_path):
    """The real package finds its backend, is filled by its own command and asked by us, in processes of their own."""
    (tmp_path / "loom_keyring.py").write_text(BACKEND)
    lib = Path(__file__).resolve().parents[2] / "lib"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LAKELOOM_", "PYTHON_KEYRING"))}
    env |= {
        "PYTHONPATH": f"{tmp_path}:{lib}",
        "PYTHON_KEYRING_BACKEND": "loom_keyring.Files",
        "LAKELOOM_SECRETS": "keyring:",
    }
    env |= {"KEPT": str(tmp_path / "kept.json")}

    def call(*words, **more):
        done = subprocess.run([sys.executable, *words], env=env | more.pop("env", {}), capture_output=True, text=True,
                              check=True, **more)  # fmt: skip
        return done.stdout.splitlines()

    call("-m", "keyring", "set", "fleet", "password", input=f"{MARKED}\n")
    there, none = call("-c", ASKED)
    assert there == f"*** {MARKED}" and "the secret fleet/none is not set" in none
    locked = call("-c", ASKED, env={"LOCKED": "1"})
    assert all("keyring does not give its secrets (KeyringLocked)" in line and MARKED not in line for line in locked)
    # A machine without any keyring, as most servers are: the package's own backend says so.
    nothing = call("-c", ASKED, env={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"})
    assert all("keyring does not give its secrets (NoKeyringError)" in line for line in nothing)
