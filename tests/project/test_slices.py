from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.config.load import read
from lakeloom.core.durations import Duration, parse
from lakeloom.core.errors import RunError
from lakeloom.project.check import checked
from lakeloom.project.graph import steps
from lakeloom.project.select import select
from lakeloom.project.slices import MOST, cut, parts
from tests.shop import TABLES, lay_out

START = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.integers(1, 10_000), st.integers(1, 500), st.sampled_from(["minute", "hour"]))
def test_slices_cover_the_span_once_and_none_is_longer(minutes, count, unit):
    length, end = Duration(count, unit), START + timedelta(minutes=minutes)
    found = cut(START, end, length, "event")
    assert found[0].start == START and found[-1].end == end
    assert all(left.end == right.start for left, right in pairwise(found))
    assert all(each.end - each.start == timedelta(seconds=length.seconds) for each in found[:-1])
    assert timedelta() < found[-1].end - found[-1].start <= timedelta(seconds=length.seconds)


def test_without_a_length_there_is_one_slice():
    assert [(each.start, each.end, each.by) for each in cut(START, START + timedelta(days=9), None, "event")] == [
        (START, START + timedelta(days=9), "event")
    ]


@pytest.mark.parametrize(
    ("end", "length"), [(START, None), (START - timedelta(1), None), (START + timedelta(9), "1 second")]
)
def test_an_empty_span_and_too_many_slices_are_refused(end, length):
    with pytest.raises(RunError) as caught:
        cut(START, end, parse(length) if length else None, "ingestion")
    assert caught.value.code == "LL-RUN-008"
    assert len(cut(START, START + timedelta(seconds=MOST), parse("1 second"), "event")) == MOST


def of(tmp_path, by, *patterns, tables=TABLES):
    conf = lay_out(tmp_path)
    (conf / "shop/tables.yml").write_text(tables)
    everything = steps(checked(read(conf)))
    return parts(everything, select(everything, patterns), by)


EVENTS = TABLES.replace("    owner: shop-data\n", "    event_time: ordered_on\n")


def test_what_reads_new_rows_goes_slice_by_slice_and_the_rest_once(tmp_path):
    found = of(tmp_path, "ingestion")
    assert set(found.sliced) == {"bronze.orders", "bronze.customers", "silver.orders", "silver.customers"}
    assert found.tail == ("gold.cities",)


def test_by_event_nothing_is_landed(tmp_path):
    found = of(tmp_path, "event", "+silver.orders", "gold.cities", tables=EVENTS)
    assert (found.sliced, found.tail) == (("silver.orders",), ("gold.cities",))


def test_what_a_sliced_step_reads_as_a_whole_is_part_of_each_slice(tmp_path):
    reading = EVENTS.replace("from: {bronze.orders: new}", "from: {bronze.orders: new, silver.names: whole}")
    names = "  silver.names:\n    from: {bronze.customers: whole}\n    sql: select id from bronze.customers\n"
    conf = lay_out(tmp_path)
    (conf / "shop/tables.yml").write_text(reading + names)
    sql = conf / "shop/sql/silver_orders.sql"
    sql.write_text(sql.read_text() + "left anti join silver.names as n on n.id = customer\n")
    everything = steps(checked(read(conf)))
    found = parts(everything, select(everything, ["silver.orders", "silver.names"]), "event")
    assert found.sliced == ("silver.names", "silver.orders")


@pytest.mark.parametrize(
    ("by", "patterns", "old", "new", "says"),
    [
        ("event", ["silver.orders"], "x", "x", "no event time"),
        ("ingestion", ["gold.cities"], "x", "x", "nothing of the selection"),
        ("ingestion", ["bronze.orders"], "x", "x", "nothing of the selection"),
        ("ingestion", ["silver.orders"], "write: {mode: merge, sequence_by: _position}", "write: {mode: append}", "not merged"),
        ("ingestion", ["silver.orders"], "write: {mode: merge, sequence_by: _position}", "write: {mode: merge}", "no sequence_by"),
        ("ingestion", ["silver.orders"], "write: {mode: merge, sequence_by: _position}", "write: {mode: overwrite}", "not merged"),
    ],
)  # fmt: skip
def test_what_can_not_be_backfilled_is_refused(tmp_path, by, patterns, old, new, says):
    with pytest.raises(RunError) as caught:
        of(tmp_path, by, *patterns, tables=TABLES.replace(old, new, 1))
    assert caught.value.code == "LL-RUN-007" and says in caught.value.message and caught.value.fix
