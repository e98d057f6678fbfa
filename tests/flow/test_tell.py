"""What a run tells people: real runs, a real receiver, and channels that can't be reached."""

import json

import pytest

from lakeloom.config.load import read
from lakeloom.core.errors import StoreError
from lakeloom.flow.runner import run
from lakeloom.project.check import checked
from tests.notify.servers import Receiver
from tests.servers.serving import serving
from tests.shop import lay_out

NOTIFY = """\
owners: {{shop-data: [shop@example.com]}}
quarantine_above: 1%
notify:
  - {{kind: webhook, url: "{url}/all", on: [failure, late, quarantine, success]}}
  - {{kind: slack, url: "{url}/gold", tables: ["gold.*"], on: failure}}
  - {{kind: webhook, url: "http://127.0.0.1:9/down", on: [quarantine, failure], attempts: 1}}
  - {{kind: slack, url: "${{secret:hooks/unset}}", on: [quarantine, failure]}}
"""


def configure(conf, url):
    base = conf / "base.yml"
    base.write_text(base.read_text() + NOTIFY.format(url=url))
    tables = conf / "shop" / "tables.yml"
    words = "    owner: shop-data\n    event_time: ordered_on\n    freshness: 26 hours\n"
    tables.write_text(tables.read_text().replace("    owner: shop-data\n", words))


def events(server, path):
    return [event for place, _, body in server.seen if place == path for event in json.loads(body)["events"]]


def test_a_run_tells_of_quarantine_late_data_success_and_failure_and_never_fails_of_it(shop, monkeypatch):
    monkeypatch.delenv("LAKELOOM_SECRET_HOOKS_UNSET", raising=False)
    with serving(Receiver()) as server:
        configure(shop.conf, server.url)
        first = shop.run()
        assert first.status == "done" and first.exit_code == 0
        told = {(event["kind"], event["subject"]) for event in events(server, "/all")}
        assert {("quarantine", "silver.orders"), ("late", "silver.orders"), ("success", "gold.cities")} <= told
        assert not any(kind == "failure" for kind, _ in told)
        (owned,) = [event for event in events(server, "/all") if event["kind"] == "late"]
        assert owned["owner"] == "shop-data" and "2026-01-02 00:00 UTC" in owned["text"]
        assert json.loads(server.seen[0][2])["owners"] == {"shop-data": ["shop@example.com"]}
        by_channel = {each["channel"]: each for each in first.notifications}
        assert by_channel["notify.0 webhook"]["delivered"]
        assert by_channel["notify.2 webhook"]["error"]["code"] == "LL-RUN-006"
        assert by_channel["notify.3 slack"]["error"]["code"] == "LL-CONF-008"
        assert "notify.1 slack" not in by_channel
        log = (shop.project().root / "runs" / first.run_id / "log.jsonl").read_text()
        assert log.count('"event": "not notified"') == 2 and log.count('"event": "notified"') == 1
        assert first.as_dict()["notifications"][0]["subject"].startswith("[shop/local]")

        sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
        sql.write_text(sql.read_text().replace("try_cast(amount as double)", "cast(customer as double)"))
        server.seen.clear()
        assert shop.run().exit_code == 1
        failed = [event for event in events(server, "/all") if event["kind"] == "failure"]
        assert [(event["subject"], event["code"]) for event in failed] == [
            ("silver.orders", "LL-TABLE-005"), ("gold.cities", ""),
        ]  # fmt: skip
        (slack,) = [json.loads(body) for path, _, body in server.seen if path == "/gold"]
        assert slack["text"] == "[shop/local] 1 failed: gold.cities"
        assert all(b"Ada" not in body and b"'a'" not in body for _, _, body in server.seen)


def test_a_run_that_breaks_down_as_a_whole_is_told_and_raises_what_it_raised(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    conf = lay_out(tmp_path)
    with serving(Receiver()) as server:
        configure(conf, server.url)
        project = checked(read(conf))
        project.root.mkdir(parents=True)
        (project.root / "runs").write_text("a file in the way")
        with pytest.raises(StoreError):
            run(project)
        (event,) = events(server, "/all")
        assert (event["subject"], event["code"]) == ("run", "LL-STORE-004")
