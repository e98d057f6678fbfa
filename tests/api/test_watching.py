"""A project watched: its config is read anew for each run, and says whether there is anything to watch."""

from datetime import UTC, datetime

import pytest

from lakeloom.api.lakehouse import Lakehouse, open_lakehouse
from lakeloom.core.errors import ConfigError
from lakeloom.flow.result import RunResult
from lakeloom.flow.watch import Interval
from tests.flow.test_watch import Clock


@pytest.fixture
def scheduled(home):
    with (home / "conf" / "base.yml").open("a") as stream:
        stream.write("schedule: {cron: 0 5 * * *}\n")
    return home


@pytest.fixture
def ran(monkeypatch):
    """Stand in for the runs themselves: what was asked for, by a project as it was read then."""
    seen = []

    def run(lake, *select, listener=None):
        seen.append((lake.project.settings.seed, select, listener))
        return RunResult(f"r{len(seen)}", "done", datetime.now(UTC).isoformat(), 0.1)

    monkeypatch.setattr(Lakehouse, "run", run)
    return seen


def test_the_config_is_read_anew_and_a_mistake_in_it_ends_nothing(scheduled, ran):
    base = scheduled / "conf" / "base.yml"
    sound = base.read_text()
    found = open_lakehouse().watch("gold.*", times=4, clock=Clock(), listener="me")
    assert next(found).due == datetime(2026, 3, 2, 5, tzinfo=UTC)
    base.write_text(sound.replace("seed: 7", "seed: 8").replace("0 5", "0 6"))
    assert next(found).next == datetime(2026, 3, 3, 6, tzinfo=UTC)
    base.write_text(sound + "slots: many\n")
    broken = next(found)
    assert (broken.status, broken.error.code, broken.next) == (
        "failed",
        "LL-CONF-004",
        datetime(2026, 3, 4, 6, tzinfo=UTC),
    )
    base.write_text(sound.replace("0 5 * * *}", "0 5 * * *, paused: true}"))
    assert next(found).error.code == "LL-CONF-018"
    assert ran == [(7, ("gold.*",), "me"), (8, ("gold.*",), "me")]


@pytest.mark.parametrize(
    ("more", "says"), [("", "no schedule:"), ("schedule: {cron: 0 5 * * *, paused: true}\n", "is paused")]
)
def test_without_a_schedule_there_is_nothing_to_watch(home, more, says):
    with (home / "conf" / "base.yml").open("a") as stream:
        stream.write(more)
    with pytest.raises(ConfigError, match="LL-CONF-018") as caught:
        open_lakehouse().watch()
    assert says in caught.value.message
    assert "--every 10m" in caught.value.fix


def test_an_interval_needs_no_schedule(home, ran):
    lake = open_lakehouse()
    assert [each.status for each in lake.watch(every="90s", times=2, clock=Clock())] == ["done", "done"]
    assert Interval(90).after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    with pytest.raises(ConfigError, match="LL-CONF-004"):
        lake.watch(every="soon")
