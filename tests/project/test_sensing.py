"""What `when:` says, what it is refused for, and how far what has happened reaches."""

import pytest

from lakeloom.config.load import read
from lakeloom.core.errors import ConfigError
from lakeloom.core.steps import Input, Step
from lakeloom.project.check import check, checked
from lakeloom.project.graph import steps
from lakeloom.project.schedule import Schedule
from lakeloom.project.sensing import Sensor, able, reach, sensor, sensors


@pytest.mark.parametrize(
    ("value", "fits", "found"),
    [
        ("files arrive", ["files arrive"], Sensor("files arrive", 2)),
        ("rows appear", ["rows appear"], Sensor("rows appear", 10)),
        ("table changed", ["table changed"], Sensor("table changed", 2)),
        ({"files arrive": "1 minute"}, ["files arrive"], Sensor("files arrive", 60)),
        ({"time": "0 5 * * *"}, [], Sensor("time", schedule=Schedule(cron="0 5 * * *", timezone="Europe/Oslo"))),
        ({"time": "0 5 * * *", "timezone": "UTC"}, [], Sensor("time", schedule=Schedule(cron="0 5 * * *"))),
    ],
)
def test_an_event_or_a_time_is_read(value, fits, found):
    assert sensor(value, "", fits, "Europe/Oslo") == found


@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        ("files arive", "LL-CONF-022", "write when: files arrive"),
        ("rows appear", "LL-CONF-022", "when: is one of files arrive"),
        ("time", "LL-CONF-022", "a time is a cron line"),
        ({"files arrive": "soon"}, "LL-CONF-004", "is not a duration"),
        ({"time": "every day"}, "LL-CONF-017", "cron"),
        ({"time": "0 5 * * *", "timezone": "Mars"}, "LL-CONF-017", "no time zone"),
        ({"files arrive": "1 minute", "timezone": "UTC"}, "LL-CONF-022", "a time zone is for a time"),
        ({"files arrive": "1 minute", "time": "0 5 * * *"}, "LL-CONF-022", "when: is one of"),
        ({}, "LL-CONF-022", "when: is one of"),
    ],
)
def test_what_is_none_is_refused_with_the_valid_ones(value, code, says):
    with pytest.raises(ConfigError) as caught:
        sensor(value, "orders", ["files arrive"])
    assert caught.value.code == code
    assert says in f"{caught.value.message} {caught.value.fix}"


def project(home, sources, tables):
    (home / "conf" / "shop").mkdir(parents=True)
    (home / "conf" / "base.yml").write_text("project: shop\n")
    (home / "conf" / "shop" / "sources.yml").write_text(f"sources:\n{sources}")
    (home / "conf" / "shop" / "tables.yml").write_text(f"tables:\n{tables}")
    return read(home / "conf")


TABLE = "  silver.orders: {{from: {{bronze.orders: new}}, sql: select * from bronze.orders{}}}\n"
SOURCE = "  orders: {{kind: files, path: a.csv, format: csv{}}}\n"


def test_check_tells_each_mistake_at_its_line(tmp_path):
    raw = project(tmp_path, SOURCE.format(", when: rows appear"), TABLE.format(", when: files arrive"))
    found = [(each.code, each.path, each.line) for each in check(raw, machine=False)[1]]
    assert found == [("LL-CONF-022", "sources.orders.when", 2), ("LL-CONF-022", "tables.silver.orders.when", 2)]


def test_a_stream_that_looks_by_itself_has_no_sensor(tmp_path):
    stream = ", stream: {every: 10 seconds}, when: table changed"
    found = check(project(tmp_path, SOURCE.format(""), TABLE.format(stream)), machine=False)[1]
    assert [each.path for each in found if each.code == "LL-CONF-022"] == ["tables.silver.orders.when"]


def test_a_sensor_changes_no_table(tmp_path):
    found = []
    for place, at, when in (("a", "", ""), ("b", ", when: files arrive", ", when: table changed")):
        (tmp_path / place).mkdir()
        made = checked(project(tmp_path / place, SOURCE.format(at), TABLE.format(when)))
        found.append((made, steps(made)))
    codes = [{step.name: (step.code, step.made) for step in graph} for _, graph in found]
    assert codes[0] == codes[1]
    events = {"bronze.orders": Sensor("files arrive", 2), "silver.orders": Sensor("table changed", 2)}
    assert [sensors(*each) for each in found] == [{}, events]


def test_what_happened_reaches_all_that_waits_for_nothing_itself():
    def step(name, *reads):
        return Step(name, "transform", tuple(map(Input, reads)), (name,), None)

    graph = [step("a"), step("b", "a"), step("c", "b"), step("nightly", "b"), step("d", "nightly"), step("e")]
    assert reach(graph, "a", ["a", "nightly"]) == ["a", "b", "c"]
    assert reach(graph, "nightly", ["a", "nightly"]) == ["nightly", "d"]
    assert able(graph, ["b", "c", "d"], ["a"]) == ["b", "c"]
    assert able(graph, ["b", "c"], []) == []
