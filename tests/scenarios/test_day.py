"""A day of a shop whose orders come by every kind of source and go out by every kind of export, in which things go wrong.

Lines are dropped, slowed and broken off, servers crash, runs are killed, clocks jump, objects are rewritten and come
twice, rows come late. At the end bronze and quarantine hold what the sources have held, each order once, and silver,
gold, the bucket and the database what plain Python computes of it.
"""

from collections import Counter

import pytest

from tests.scenarios.day.day import Day
from tests.scenarios.day.faults import Fault
from tests.scenarios.day.places import SECRETS, places
from tests.scenarios.day.roots import KINDS
from tests.scenarios.day.told import Order, Told


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    home = tmp_path_factory.mktemp("day")
    with places(home) as found:
        if found is None:
            pytest.skip("a server, or what installs it (Go, npm), is not on this machine")
        yield Day(home, found)


@pytest.fixture
def in_bucket(tmp_path, request):
    with places(tmp_path, request.param) as found:
        if found is None:
            pytest.skip("a server, or what installs it (Go, npm), is not on this machine")
        yield Day(tmp_path, found)


def settled(day):
    """Let the day end, and hold everything against the truth."""
    day.settle()
    assert day.refused == []
    assert day.differences() == dict.fromkeys(day.places.channels, (0, 0))
    truth = day.truth()
    assert day.tables() == truth
    assert day.gone_out() == truth
    assert day.raw_out() == Counter(row["token"] for row in day.rows("bronze.desk"))
    secrets = [word.encode() for word in SECRETS.values()]
    for file in day.home.rglob("*"):
        if file.is_file() and "servers" not in file.parts:
            assert not any(word in file.read_bytes() for word in secrets), file
    assert not any(word in content for content in day.places.root.contents() for word in secrets)


@pytest.mark.timeout(1200)
def test_a_day_with_all_kinds_in_and_out_ends_with_the_truth(day):
    first = [
        Fault("dropped", "s3"),
        Fault("truncated", "azure"),
        Fault("restarted", "postgresql"),
        Fault("slow", "gs"),
        Fault("late answers", "web"),
        Fault("rewritten", "desk"),
    ]
    document = day.hour(*first)
    assert document is not None
    second = [Fault("killed", "run"), Fault("late", "mariadb"), Fault("duplicate", "gs"), Fault("rewritten", "web")]
    day.hour(*second)
    settled(day)
    assert day.counted.total() >= 5 and set(day.counted) <= {*first, *second}
    assert all(channel.told.here for channel in day.places.channels.values())
    assert any(channel.told.bad() for channel in day.places.channels.values())


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_a_hundred_faults_of_every_kind_lose_and_double_nothing(day):
    day.befall(100)
    settled(day)
    assert {fault.kind for fault in day.counted} == {fault.kind for fault in day.faults}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("in_bucket", KINDS, indirect=True)
def test_a_day_with_its_tables_in_a_bucket_ends_with_the_truth(in_bucket):
    day = in_bucket
    day.hour(Fault("truncated", "root"), Fault("slow", "s3"), Fault("rewritten", "desk"), count=40)
    day.hour(Fault("killed", "run"), Fault("late", "mariadb"), count=40)
    day.hour(Fault("dropped", "root"), Fault("killed", "run"), count=40)
    day.hour(*(each for each in day.faults if each == Fault("restarted", "root")), Fault("dropped", "azure"), count=40)
    settled(day)
    assert {fault.where for fault in day.counted} >= {"root", "run"}


def orders(*ids, rev=1):
    return [Order(each, rev, 9) for each in ids]


def test_what_must_and_what_may_have_been_taken():
    told = Told()
    told.put("a", orders("x", "y"))
    assert told.differences(Counter(["x/1", "y/1"])) == (0, 0)
    assert told.differences(Counter(["x/1"])) == (1, 0)
    assert told.differences(Counter(["x/1", "x/1", "y/1", "z/1"])) == (0, 2)
    before = told.here
    told.put("a", orders("x", "y", rev=2))  # while a run is going on: it may have seen either
    told.took(before)
    assert told.differences(Counter(["x/2", "y/2"])) == (0, 0)
    assert told.differences(Counter(["x/1", "y/1", "x/2", "y/2"])) == (0, 0)
    assert told.differences(Counter(["x/1", "x/1", "x/2"])) == (1, 1)
    told.took(told.here)
    told.put("a", orders("x", "y", rev=3))
    assert told.differences(Counter(["x/3", "y/3"])) == (2, 0)  # the second must be there for good
    assert {order.id: order.rev for order in told.newest().values()} == {"x": 3, "y": 3}
    told.put("b", [Order("w", 1, 9, bad=True)])
    assert told.bad() == {"w/1"} and "w" not in told.newest()
