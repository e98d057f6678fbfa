"""Tags as a user makes and reads them, without Spark."""

import pytest
from deltalake import write_deltalake

from lakeloom.api import query
from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.api.values import records
from lakeloom.core.errors import LakeloomError
from lakeloom.store import refs
from lakeloom.store.lock import locked
from tests.api.conftest import AT, orders


@pytest.fixture
def tagged(lakehouse):
    """Give a project with a tag, whose orders have moved on since."""
    lakehouse.tag("release-7")
    refs.publish(lakehouse.lake, {"silver.orders": 2}, step="silver.orders", epoch=2, run="r2", at=AT)
    return open_lakehouse()


def refused(call, *words, **options):
    with pytest.raises(LakeloomError) as caught:
        call(*words, **options)
    return caught.value


def test_everything_can_be_read_at_a_tag(tagged):
    assert tagged.table("silver.orders").version == 2
    assert tagged.table("silver.orders@release-7").version == 1
    assert tagged.table("silver.orders", "release-7").version == 1
    counted = "select count(*) as n from silver.orders"
    assert records(tagged.sql(f"{counted}@release-7")) == [{"n": 2}]
    then = tagged.at("release-7")
    assert records(then.sql(counted)) == [{"n": 2}] and records(then.sql(f"{counted}@0")) == [{"n": 1}]
    assert then.table("silver.orders").version == 1 and then.table("silver.orders@0").version == 0
    assert {table.name: table.version for table in then.tables()} == {
        "silver.orders": 1,
        "quarantine.silver__orders": 0,
    }
    assert {table.name: table.version for table in tagged.tables()}["silver.orders"] == 2


def test_two_tags_that_look_alike_are_two_versions_in_one_query(tagged):
    tagged.tag("release_7", "silver.orders@0")
    text = "select (select count(*) from silver.orders@release-7) as a, (select count(*) from silver.orders@release_7) as b"
    assert records(tagged.sql(text)) == [{"a": 2, "b": 1}]


def test_a_dot_in_a_tag_or_a_time_names_no_catalog(tagged):
    tagged.tag("v1.2", "silver.orders@0")
    at = tagged.table("silver.orders").history()[-1]["timestamp"]
    assert "." in at
    text = f"select (select count(*) from silver.orders@v1.2) as a, (select count(*) from silver.orders@{at}) as b"
    assert records(tagged.sql(text)) == [{"a": 1, "b": 1}]


def test_by_spark_too_they_are_two_views():
    assert query._view("silver.orders@release-7") != query._view("silver.orders@release_7")
    assert query._view("silver.orders") == "silver__orders"


def test_at_a_time_the_tables_of_then_are_listed_and_read(lakehouse):
    from datetime import datetime

    times = {
        entry["version"]: datetime.fromisoformat(entry["timestamp"])
        for entry in lakehouse.table("silver.orders").history()
    }
    then = lakehouse.at(times[0].isoformat())
    assert {table.name: table.version for table in then.tables()} == {"silver.orders": 0}
    assert records(then.sql("select count(*) as n from silver.orders")) == [{"n": 1}]


def test_some_tables_or_versions_can_be_named(lakehouse):
    assert lakehouse.tag("some", "silver.*").versions == {"silver.orders": 1}
    assert lakehouse.tag("first", "silver.orders@0").versions == {"silver.orders": 0}
    assert lakehouse.tag("again", "silver.orders@first").versions == {"silver.orders": 0}
    assert [tag.name for tag in lakehouse.tags()] == ["some", "first", "again"]
    assert lakehouse.untag("first").versions == {"silver.orders": 0}
    wrong = refused(lakehouse.tag, "wrong", "silver.order")
    assert wrong.code == "LL-STORE-001" and wrong.fix == "use 'silver.orders'"
    assert refused(lakehouse.at("none").tables).code == "LL-STORE-002"
    assert refused(lakehouse.at("some").table, "quarantine.silver__orders").code == "LL-STORE-002"


def test_a_table_that_is_deleted_is_left_out_and_nothing_published_can_t_be_named(lakehouse):
    import shutil

    shutil.rmtree(lakehouse.lake.path("quarantine.silver__orders"))
    assert lakehouse.tag("rest").versions == {"silver.orders": 1}
    shutil.rmtree(lakehouse.lake.path(refs.TABLE))
    assert refused(open_lakehouse().tag, "empty").code == "LL-STORE-001"


def test_while_a_run_publishes_there_is_no_consistent_set(lakehouse):
    with locked(lakehouse.root):
        assert refused(lakehouse.tag, "release-7").code == "LL-RUN-002"
        assert refused(lakehouse.untag, "release-7").code == "LL-RUN-002"
    assert lakehouse.tags() == []


def test_what_came_later_is_not_in_a_tag(tagged):
    write_deltalake(tagged.lake.path("gold.new"), orders(1.0))
    refs.publish(tagged.lake, {"gold.new": 0}, step="gold.new", epoch=1, run="r3", at=AT)
    assert "names no version of gold.new" in refused(tagged.table, "gold.new@release-7").message
    assert "gold.new" not in {table.name for table in tagged.at("release-7").tables()}
