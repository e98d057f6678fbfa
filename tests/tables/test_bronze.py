"""What a landing puts on its rows: position, source, file, time and run."""

from datetime import datetime

from lakeloom.tables import quarantine
from lakeloom.tables.bronze import POSITION, Stamp, rejected, stamp

MARK = Stamp(3, "2026-01-01T12:00:00+00:00", "run-1")


def test_a_row_says_where_it_came_from_and_the_raw_columns_stay(spark):
    raw = spark.sql("select 'x' as `odd name`, 'y' as b, 'in/f.csv' as _file, 1 as _file_no, 7 as _record")
    frame = stamp(raw, "orders", MARK)
    assert frame.columns == ["_position", "odd name", "b", "_source", "_file", "_ingested_at", "_run"]
    assert dict(frame.dtypes)["_position"] == POSITION
    row = frame.first()
    assert tuple(row._position) == (3, 1, 7)
    assert (row["odd name"], row._source, row._file, row._run) == ("x", "orders", "in/f.csv", "run-1")
    assert row._ingested_at == datetime(2026, 1, 1, 12)


def test_positions_sort_in_the_order_of_arrival(spark):
    places = [(1, 10), (0, 9), (0, 10), (1, 2)]
    raw = spark.createDataFrame(places, "_file_no int, _record int").selectExpr("*", "'f' as _file")
    rows = [stamp(raw, "s", Stamp(epoch, MARK.clock, "r")) for epoch in (10, 9)]
    found = [tuple(row._position) for row in rows[0].union(rows[1]).orderBy("_position").collect()]
    assert found == sorted((epoch, *place) for epoch in (9, 10) for place in places)


def test_both_ways_into_quarantine_have_one_form(spark):
    unread = spark.sql(
        "select 'raw' as raw, cast(null as binary) as bytes, array('malformed') as reasons, 'f' as _file,"
        " 0 as _file_no, 2 as _record"
    )
    judged = spark.sql(
        "select 1 as a, array('a:positive') as _reasons,"
        " named_struct('epoch', 3L, 'file', 0, 'record', 2L) as _position, 'f' as _file"
    )
    first, second = rejected(unread, "bronze.t", MARK), quarantine.rejected(judged, "silver.t", MARK)
    assert dict(first.dtypes) == dict(second.dtypes)
    assert second.first().raw == second.first().row == '{"a":1}'
    assert tuple(first.first().position) == tuple(second.first().position) == (3, 0, 2)


def test_a_judged_row_keeps_the_bronze_row_that_it_was_made_of(spark):
    place = "named_struct('epoch', 3L, 'file', 0, 'record', {}L) as _position"
    bronze = spark.sql(
        f"select '1,5' as amount, null as note, 'in/f.csv' as _file, {place.format(2)}"
        f" union all select '2', 'x', 'in/f.csv', {place.format(1)}"
    )
    judged = spark.sql(f"select cast(null as double) as amount, array('rule') as _reasons, {place.format(2)}")
    (row,) = quarantine.rejected(judged, "silver.t", MARK, bronze).collect()
    assert (row.raw, row.row, row.file) == ('{"amount":"1,5"}', "{}", "in/f.csv")
    assert tuple(row.position) == (3, 0, 2)


def test_a_judged_row_from_nowhere_in_bronze_is_not_lost(spark):
    place = "named_struct('epoch', 3L, 'file', 0, 'record', {}L) as _position"
    bronze = spark.sql(f"select '2' as amount, 'in/f.csv' as _file, {place.format(1)}")
    judged = spark.sql(f"select 7 as amount, array('rule') as _reasons, {place.format(9)}")
    (row,) = quarantine.rejected(judged, "silver.t", MARK, bronze).collect()
    assert (row.raw, row.row, row.file) == ('{"amount":7}', '{"amount":7}', None)


def test_a_row_whose_transform_kept_no_place_is_quarantined_all_the_same(spark):
    judged = spark.sql("select 1 as a, array('rule') as _reasons")
    row = quarantine.rejected(judged, "silver.t", MARK).first()
    assert row.position is None and row.file is None and row.reasons == ["rule"]
