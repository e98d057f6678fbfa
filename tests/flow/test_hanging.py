"""Sources that hang, by real sockets: each fails alone when its time is up, and what can land has landed by then."""

import json
import subprocess
import sys
import time

import pytest

from lakeloom.config.load import read
from lakeloom.flow.planning import plan
from lakeloom.flow.runner import run
from lakeloom.project.check import check, checked
from tests.hanging import silent, swallowing

S3 = "  {name}: {{kind: files, path: 's3://{name}/in/**', format: csv, timeout: {limit}}}\n"
STORE = "  s3://{name}: {{endpoint: 'http://127.0.0.1:{port}', region: eu, access_key: a, secret_key: b}}\n"
DERBY = "org.apache.derby.client.ClientAutoloadedDriver"
LIMIT_S = 8


class Seen:
    """Who ended when."""

    def __init__(self):
        self.begun, self.ended = time.monotonic(), {}

    def started(self, name, kind, reason):
        pass

    def finished(self, result):
        self.ended[result.name] = time.monotonic() - self.begun


def project(home, sources, stores="", more=""):
    conf = home / "conf" / "shop"
    conf.mkdir(parents=True)
    (home / "conf" / "base.yml").write_text(
        f"project: shop\nretries: 0\n{more}" + (f"stores:\n{stores}" if stores else "")
    )
    (conf / "sources.yml").write_text(f"sources:\n{sources}")
    return read(home / "conf")


def test_hanging_sources_take_no_slot_and_fail_alone(tmp_path, spark, monkeypatch):
    """One slot, four that hang: a store that is silent, databases that are silent, and one whose line swallows all."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "a.csv").write_text("id\n1\n2\n")
    with silent() as port, swallowing() as gone:
        sources = "  orders: {kind: files, path: landing/*.csv, format: csv}\n"
        sources += S3.format(name="clicks", limit=f"{LIMIT_S} seconds")
        # Derby's client knows no time limit: nothing but the runner's own ends it.
        sources += f"  planes: {{kind: jdbc, url: 'jdbc:derby://127.0.0.1:{port}/x', driver: {DERBY}, table: t, timeout: {LIMIT_S} seconds}}\n"
        for name, at in (("fleet", port), ("visits", gone)):
            sources += f"  {name}: {{kind: jdbc, url: 'jdbc:postgresql://127.0.0.1:{at}/x', table: t, timeout: {LIMIT_S} seconds}}\n"
        raw = project(tmp_path, sources, STORE.format(name="clicks", port=port), "slots: 1\n")
        (raw.folder / "tables.yml").write_text(
            "tables:\n  silver.orders: {from: {bronze.orders: new}, sql: select id from bronze.orders}\n"
        )
        seen = Seen()
        result = run(checked(read(tmp_path / "conf")), listener=seen)
    steps = {step.name: step for step in result.steps}
    assert {name: step.status for name, step in steps.items()} == {
        "bronze.orders": "done", "silver.orders": "done", "bronze.clicks": "failed", "bronze.planes": "failed",
        "bronze.fleet": "failed", "bronze.visits": "failed",
    }  # fmt: skip
    assert steps["bronze.clicks"].error["code"] == steps["bronze.planes"].error["code"] == "LL-SOURCE-010"
    # The driver gives up at the same moment: who is first does not matter.
    assert {steps[name].error["code"] for name in ("bronze.fleet", "bronze.visits")} <= {
        "LL-SOURCE-010",
        "LL-SOURCE-001",
    }
    hung = {seen.ended[name] for name in steps if steps[name].status == "failed"}
    assert min(hung) > LIMIT_S - 1 and max(hung) < 3 * LIMIT_S + 10, seen.ended


def test_a_plan_waits_no_longer_than_the_time_limit(tmp_path):
    with silent() as port:
        sources = "".join(S3.format(name=name, limit="2 seconds") for name in ("clicks", "views"))
        stores = "".join(STORE.format(name=name, port=port) for name in ("clicks", "views"))
        begun = time.monotonic()
        planned = plan(checked(project(tmp_path, sources, stores)))
        taken = time.monotonic() - begun
    assert [each.action for each in planned] == ["run", "run"]
    assert all("did not answer within 2 s" in each.reasons[0] for each in planned)
    assert taken < 15


def test_the_process_of_a_run_ends_though_a_source_hangs(tmp_path):
    with silent() as port:
        project(tmp_path, S3.format(name="clicks", limit="2 seconds"), STORE.format(name="clicks", port=port))
        words = [sys.executable, "-m", "lakeloom.cli", "run", "--json"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    (step,) = json.loads(done.stdout)["steps"]
    assert (step["status"], step["error"]["code"]) == ("failed", "LL-SOURCE-010")
    assert "timeout:" in step["error"]["fix"]


def test_a_time_limit_is_a_duration(tmp_path):
    raw = project(tmp_path, "  orders: {kind: files, path: a.csv, format: csv, timeout: soon}\n")
    (finding,) = check(raw)[1]
    assert (finding.code, finding.path) == ("LL-CONF-004", "sources.orders.timeout")
    (raw.folder / "sources.yml").write_text("sources:\n  orders: {kind: files, path: a.csv, format: csv}\n")
    assert checked(read(tmp_path / "conf")).sources["orders"].limit_s == pytest.approx(600)
