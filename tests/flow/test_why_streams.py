"""Why a row of a streaming table is there: all rows that the stream had taken by then, and none that came late."""

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from tests.flow.stream import Stream

pytestmark = pytest.mark.long

COLUMNS = {"g": "string", "k": "string", "at": "string", "v": "bigint"}
TABLES = """\
tables:
  silver.windows:
    from: {bronze.changes: new}
    sql: >-
      select g, window.start as began, sum(v) as v
      from bronze.changes group by g, window(at, '10 minutes')
    stream: {watermarks: {bronze.changes: {column: at, delay: 613 seconds}}}
    write: {mode: append}
    keys: [g, began]
    columns: {g: string, began: timestamp, v: bigint}
  silver.totals:
    from: {bronze.changes: new}
    sql: select k, sum(v) as v from bronze.changes group by k
    stream: {output: update}
    write: {mode: merge}
    keys: [k]
    columns: {k: string, v: bigint}
"""


def row(k, at, v):
    return {"g": "all", "k": k, "at": f"2026-01-01 {at}:00", "v": v}


@pytest.fixture(scope="module")
def ran(tmp_path_factory, spark):
    stream = Stream(tmp_path_factory.mktemp("why"), COLUMNS, TABLES)
    stream.drop(row("a", "12:01", 1), row("b", "12:02", 2))
    stream.done()
    stream.drop(row("a", "12:03", 4), row("a", "12:40", 8))
    stream.done()
    # The window from 12:00 has closed: what comes for it is late.
    stream.drop(row("a", "12:04", 16), row("c", "13:30", 32))
    stream.done()
    return stream


def told(stream, table, **key):
    (reason,) = open_lakehouse(stream.home / "conf").why(table, key).rows
    places = [tuple(each.place["position"].values())[::2] for each in reason.all() if each.place]
    return reason.level, reason.reproduced, reason.made.epoch, sorted(places)


def test_a_window_is_told_by_what_came_in_time_and_by_the_execution_that_closed_it(ran):
    assert (7,) in ran.table("silver.windows", "v")
    assert told(ran, "silver.windows", began="2026-01-01T12:00:00Z") == ("rows", True, 2, [(1, 0), (1, 1), (2, 0)])


def test_a_running_total_is_told_by_all_rows_so_far_and_by_the_execution_that_changed_it(ran):
    assert told(ran, "silver.totals", k="a") == ("rows", True, 3, [(1, 0), (2, 0), (2, 1), (3, 0)])
    assert told(ran, "silver.totals", k="b") == ("rows", True, 1, [(1, 1)])
    assert told(ran, "silver.totals@1", k="a") == ("rows", True, 2, [(1, 0), (2, 0), (2, 1)])
