"""What a source's table could not read, corrected: landed once in its old place, and read as new below."""

import gzip

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, fix
from lakeloom.flow.replaying import replay
from lakeloom.store import refs
from tests.shop import drop as put

HEADER = "order_id,customer,amount,ordered_on\n"
ALL = Choice()
BRONZE = "bronze.orders"


def entries(shop):
    side = "quarantine.bronze__orders"
    return sorted(shop.lake.arrow(side, refs.good(shop.lake)[side]).to_pylist(), key=lambda row: row["file"])


def refusal(work):
    with pytest.raises(LakeloomError) as caught:
        work()
    assert "kestrel" not in str(caught.value)
    return caught.value.code


def test_a_corrected_file_and_a_corrected_record_land_once_in_their_place(shop, tmp_path):
    sources = shop.conf / "shop" / "sources.yml"
    sources.write_text(sources.read_text().replace("format: csv}", "format: csv, columns: {amount: double}}"))
    packed = gzip.compress((HEADER + "7,a,70,2026-01-07\n2,b,99,2026-01-07\n").encode(), mtime=0)
    put(shop.home, "orders/2026-00.csv.gz", packed[: len(packed) - 9])
    put(shop.home, "orders/2026-02.csv", HEADER + "5,a,kestrel,2026-02-01\n6,a,60,2026-02-01\n")
    assert shop.run("+silver.orders").status == "done"
    assert shop.rows("silver.orders", "order_id") == [(1,), (2,), (6,)]
    whole, record = entries(shop)
    assert (whole["raw"], record["bytes"]) == (None, None)
    put(shop.home, "orders/2026-03.csv", HEADER + "5,a,51,2026-03-01\n")  # supersedes order 5 before it is mended
    assert shop.run("+silver.orders").status == "done"
    project = shop.project()

    def mended(name, content, entry, code=None):
        place = tmp_path / name
        place.write_bytes(content)
        choice = Choice(ids=(entry["id"],)) if entry else ALL
        work = lambda: fix(project, BRONZE, choice, Change(file=place))  # noqa: E731 - called here or refused
        if code is None:
            return work()
        return refusal(work) == code

    lines = gzip.decompress(packed)
    assert mended("a.csv.gz", packed[:-9], whole, "LL-FIX-003")
    assert mended("b.csv.gz", packed, None, "LL-FIX-001")
    assert mended("c.csv", lines, record, "LL-FIX-003")
    assert refusal(lambda: fix(project, BRONZE, ALL, Change(sets=("raw = 'kestrel'",)))) == "LL-FIX-002"
    told = mended("d.csv", HEADER.encode() + b"5,a,x,2026-02-01\n", record)
    assert (told.passing, told.breaking) == (0, {"amount: not double": 1})
    told = mended("e.csv.gz", packed, whole)
    assert (told.on, told.rows, told.passing, told.breaking) == ("file", 1, 2, {})
    assert [entry["state"] for entry in entries(shop)] == ["fixed", "fixed"]
    done = replay(project, BRONZE, ALL)
    assert (done.exit_code, done.written) == (0, 2)
    assert [(entry["state"], entry["reasons"]) for entry in entries(shop)] == [
        ("replayed", ["the gzip is truncated"]), ("open", ["amount: not double"]),
    ]  # fmt: skip
    mended("f.csv", HEADER.encode() + b"5,a,50,2026-02-01\n", record)
    assert replay(project, BRONZE, ALL).written == 1
    version = shop.lake.version(BRONZE)
    assert replay(project, BRONZE, ALL).run.steps[0].status == "skipped"
    assert shop.lake.version(BRONZE) == version
    rows = shop.lake.arrow(BRONZE).to_pylist()
    places = [tuple(row["_position"].values()) for row in rows]
    assert len(places) == len(set(places)) == 8
    assert {row["_file"] for row in rows if row["order_id"] == "7"} == {"in/orders/2026-00.csv.gz"}
    result = shop.run("silver.orders")
    assert (result.steps[0].rows_in, result.steps[0].status) == (3, "done")
    # Order 7 is new; the corrected rows of 2 and 5 are older than those that came after them.
    assert shop.rows("silver.orders", "order_id", "amount") == [
        (1, 10.5), (2, 20.0), (5, 51.0), (6, 60.0), (7, 70.0),
    ]  # fmt: skip
    assert set(shop.statuses(shop.run("+silver.orders")).values()) == {"skipped"}
