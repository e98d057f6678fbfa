"""Figures of a run: written for node_exporter and sent to a collector; what can't be published fails nothing."""

import json
import stat

import pytest

from lakeloom.config.load import read
from lakeloom.flow.after import publish
from lakeloom.flow.journal import Journal
from lakeloom.project.check import check, checked
from lakeloom.store.lake import Lake
from lakeloom.telemetry.facts import facts
from tests.notify.servers import Receiver
from tests.servers.serving import serving
from tests.shop import lay_out
from tests.telemetry.log import LOG
from tests.telemetry.parser import parse


class Home:
    def __init__(self, folder, text):
        self.conf = lay_out(folder)
        base = self.conf / "base.yml"
        base.write_text(base.read_text() + f"metrics: {text}\n")
        self.folder = folder

    def publish(self):
        project, pauses = checked(read(self.conf)), []
        self.journal = Journal(Lake(project.root), "r1", project.root / "runs" / "r1")
        about = facts(LOG, run="r1", project="shop", env="local")
        return publish(project, about, self.journal, pause=pauses.append), pauses


def test_the_textfile_is_whole_and_readable_by_the_exporter(tmp_path):
    home = Home(tmp_path, "{textfile: out/lakeloom.prom}")
    assert home.publish() == ([], []) == home.publish()
    file = tmp_path / "out" / "lakeloom.prom"
    assert {name for name, _, _ in parse(file.read_text())} >= {"lakeloom_run_success", "lakeloom_step_rows_out"}
    assert [each.name for each in file.parent.iterdir()] == ["lakeloom.prom"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_the_collector_gets_metrics_and_traces_with_the_secret_header(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRET_OTEL_TOKEN", "platypus-token-5")
    with serving(Receiver(503)) as server:
        home = Home(tmp_path, f"{{otlp: '{server.url}/', headers: {{Authorization: 'Bearer ${{secret:otel/token}}'}}}}")
        assert home.publish() == ([], [0.5])
        assert [path for path, _, _ in server.seen] == ["/v1/metrics", "/v1/metrics", "/v1/traces"]
        assert all(headers["Authorization"] == "Bearer platypus-token-5" for _, headers, _ in server.seen)
        assert json.loads(server.seen[-1][2])["resourceSpans"]


@pytest.mark.parametrize(
    ("text", "channels", "code"),
    [
        ("{otlp: 'http://127.0.0.1:9', attempts: 2}", ["metrics otlp metrics", "metrics otlp traces"], "LL-RUN-006"),
        ("{textfile: conf/base.yml/x.prom}", ["metrics textfile"], "LL-STORE-004"),
        ("{textfile: '${secret:not/there}.prom'}", ["metrics textfile"], "LL-CONF-008"),
    ],
)
def test_what_cannot_be_published_is_told_and_logged(tmp_path, text, channels, code):
    home = Home(tmp_path, text)
    failed, _ = home.publish()
    assert [each.channel for each in failed] == channels
    assert {each.error["code"] for each in failed} == {code}
    assert [event["event"] for event in home.journal.events] == ["not published"] * len(channels)


def test_a_malformed_setting_is_found_by_check(tmp_path):
    home = Home(tmp_path, "{textfile: figures.txt, otlp: 'collector:4318'}")
    assert {found.path for found in check(read(home.conf))[1]} == {"metrics.textfile", "metrics.otlp"}
