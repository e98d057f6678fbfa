import json

from typer.testing import CliRunner

from lakeloom.cli.app import app
from tests.notify.servers import Receiver
from tests.servers.serving import serving


def call(*words):
    return CliRunner().invoke(app, list(words))


def test_late_tables_are_shown_told_and_exit_with_1(home):
    tables = home / "conf/shop/tables.yml"
    assert "declares freshness" in call("freshness").stdout
    words = "  silver.orders:\n    event_time: ordered_at\n    freshness: 1 day\n"
    tables.write_text(tables.read_text().replace("  silver.orders:\n", words))
    with serving(Receiver()) as server:
        base = home / "conf/base.yml"
        base.write_text(base.read_text() + f"notify: [{{kind: webhook, url: '{server.url}'}}]\n")
        done = call("freshness", "--json", "--notify")
        (event,) = json.loads(server.seen[0][2])["events"]
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert set(document["tables"][0]) == {"table", "newest", "by", "age_s", "allowed_s", "status", "owner"}
    assert document["tables"][0]["newest"] == "2026-01-05T09:12:00+00:00"
    assert document["notifications"][0]["delivered"] and event["kind"] == "late"
    shown = call("freshness")
    assert shown.exit_code == 1 and "2026-01-05 09:12" in shown.stdout
    tables.write_text(tables.read_text().replace("freshness: 1 day", "freshness: 9999 weeks"))
    assert call("freshness").exit_code == 0
