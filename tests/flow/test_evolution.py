"""Contracts that change, and data that does: added, widened, rescued, renamed, dropped; what does not fit is told."""

import pytest

from tests.flow.stream import Stream

COLUMNS = {"id": "string", "amount": "string", "city": "string"}


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return lambda tables, columns=COLUMNS: Stream(tmp_path, columns, tables)


def table(columns, more="", select="id, amount, city", write="{mode: append}"):
    return f"""\
tables:
  silver.t:
    from: {{bronze.changes: new}}
    sql: select {select}, _position from bronze.changes
    write: {write}
    columns: {columns}
{more}"""


def test_values_that_do_not_fit_go_to_quarantine_or_are_rescued(stream):
    made = stream(table("{id: bigint, amount: 'decimal(8,2)'}", "    evolve: add\n"))
    made.drop({"id": "1", "amount": "1.50", "city": "Oslo"}, {"id": "x", "amount": "2", "city": None},
              {"id": "3", "amount": "1.005", "city": "Rome"})  # fmt: skip
    done = made.done()["silver.t"]
    assert (done.rows_out, done.quarantined) == (1, 2)
    assert made.table("silver.t", "id", "city") == [(1, "Oslo")]
    kept = made.table("quarantine.silver__t", "reasons", "raw")
    assert [reasons for reasons, _ in kept] == [["contract:amount"], ["contract:id"]]
    assert '"1.005"' in kept[0][1]
    made.declare(table("{id: bigint, amount: 'decimal(8,2)'}", "    evolve: rescue\n"))
    assert made.done()["silver.t"].quarantined == 0
    assert made.table("silver.t", "id", "_rescued") == [
        (1, '{"city":"Oslo"}'), (3, '{"amount":"1.005","city":"Rome"}'), (None, '{"id":"x"}'),
    ]  # fmt: skip


def test_none_refuses_and_names_the_difference(stream):
    made = stream(table("{id: bigint, amount: string, city: string}"))
    made.drop({"id": "1", "amount": "1", "city": "Oslo"})
    (failed,) = [step for step in made.run().steps if step.status == "failed"]
    assert (
        failed.error["code"] == "LL-TABLE-004" and "id is string, the contract says bigint" in failed.error["message"]
    )


def test_a_column_decides_for_itself(stream):
    columns = "{id: {type: bigint, evolve: rescue}, amount: string, city: string}"
    made = stream(table(columns))
    made.drop({"id": "x", "amount": "1", "city": "Oslo"})
    made.done()
    assert made.table("silver.t", "id", "amount", "_rescued") == [(None, "1", '{"id":"x"}')]


def test_from_here_on_types_are_widened_columns_renamed_and_dropped_without_a_rebuild(stream):
    forward = "    evolve: widen\n    on_change: forward\n"
    select = "cast(id as int) as id, cast(amount as int) as amount, city"
    made = stream(table("{id: int, amount: int, city: string}", forward, select))
    made.drop({"id": "1", "amount": "7", "city": "Oslo"})
    made.done()
    files = {path.name for path in (made.lake.root / "tables/silver/t").rglob("*.parquet")}
    select = "cast(id as bigint) as id, cast(amount as double) as paid"
    columns = "{id: int, paid: {type: double, renamed_from: amount}}"
    made.declare(table(columns, forward + "    dropped: [city]\n", select))
    made.drop({"id": str(2**40), "amount": "0.5", "city": "Rome"})
    done = made.done()["silver.t"]
    assert done.rows_out == 1 and "from here on" in done.reason
    assert files < {path.name for path in (made.lake.root / "tables/silver/t").rglob("*.parquet")}
    with pytest.raises(Exception, match="LL-STORE-009"):
        made.table("silver.t", "id")
    from lakeloom.session.spark import open_session

    rows = made.lake.frame(open_session({}), "silver.t")
    assert rows.dtypes[:2] == [("id", "bigint"), ("paid", "double")] and "city" not in rows.columns
    assert sorted((row["id"], row["paid"]) for row in rows.collect()) == [(1, 7.0), (2**40, 0.5)]


def test_from_here_on_a_contract_may_name_more_columns_and_rescue_what_it_does_not(stream):
    made = stream(table("{id: int}", "    on_change: forward\n", "cast(id as int) as id"))
    made.drop({"id": "1", "amount": "7", "city": "Oslo"})
    made.done()
    more = "    on_change: forward\n    evolve: rescue\n"
    made.declare(table("{id: int, amount: int}", more, "id, amount, city"))
    made.drop({"id": "2", "amount": "many", "city": "Rome"})
    assert made.done()["silver.t"].rows_out == 1
    assert made.table("silver.t", "id", "amount", "_rescued") == [
        (1, None, None), (2, None, '{"amount":"many","city":"Rome"}'),
    ]  # fmt: skip
    # What rows bring and nothing names is refused as before.
    made.declare(table("{id: int, amount: int}", "    on_change: forward\n", "cast(id as int) as id, amount, city"))
    made.drop({"id": "3", "amount": "1", "city": "Bonn"})
    assert [step.error["code"] for step in made.run().steps if step.error] == ["LL-TABLE-004"]


def test_delta_itself_refuses_null_where_the_contract_does_and_shows_what_the_contract_says(stream, spark):
    columns = "{id: string, amount: {type: string, nullable: false, unit: euro}, city: string}"
    write = "{mode: merge, change_feed: true, cluster_by: [city]}"
    made = stream(table(columns, "    keys: [id]\n", write=write))
    made.drop({"id": "1", "amount": "1", "city": "Oslo"})
    made.done()
    path = made.lake.path("silver.t")
    said = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES delta.`{path}`").collect()}
    assert said["delta.enableChangeDataFeed"] == "true" and said["lakeloom.unit.amount"] == "euro"
    assert spark.sql(f"DESCRIBE DETAIL delta.`{path}`").first()["clusteringColumns"] == ["city"]
    with pytest.raises(Exception, match="amount"):
        spark.createDataFrame([("2", None)], "id string, amount string").write.format("delta").mode("append").save(path)
    # What the contract no longer says, Delta no longer holds the table to.
    made.declare(table("{id: string, amount: string, city: string}", "    keys: [id]\n", write="{mode: merge}"))
    made.done()
    said = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES delta.`{path}`").collect()}
    assert not [key for key in said if "amount_not_null" in key] and said["delta.enableChangeDataFeed"] == "false"
    assert [key for key in said if "id_not_null" in key]


def test_a_way_of_writing_says_what_it_lacks(stream):
    def codes(write, more=""):
        made.declare(table("{id: string}", more, "id", write))
        return [(finding.code, finding.message) for finding in made.findings()]

    made = stream(table("{id: string}", select="id"))
    assert codes("{mode: scd2}", "    keys: [id]\n")[0][0] == "LL-TABLE-010"
    assert "by" in codes("{mode: replace}")[0][1]
    assert "versions" in codes("{mode: scd4, sequence_by: id}", "    keys: [id]\n")[0][1]
    assert "belongs to mode merge" in codes("{mode: append, update_when: 'new.id > 1'}")[0][1]
    assert "own order" in codes("{mode: merge, sequence_by: id, snapshot_by: id}", "    keys: [id]\n")[0][1]
    assert codes("{mode: scd2, sequence_by: id}")[0][0] == "LL-TABLE-006"
    assert "replay" in codes("{mode: merge, sequence_by: id, delete_when: rand() < 1}", "    keys: [id]\n")[0][1]


WIDE = "struct<street:string,zip:string>"
NESTED = """\
tables:
  silver.plain: &table
    from: {bronze.changes: new}
    sql: select id, seq, place, items, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: seq}
    evolve: add
    columns: {id: string, seq: int, place: "struct<street:string>", items: "array<struct<sku:string>>"}
  silver.folded:
    <<: *table
    write: {mode: merge, sequence_by: seq, update_when: new.seq > old.seq}
  silver.versions:
    <<: *table
    write: {mode: scd2, sequence_by: seq}
  silver.both:
    <<: *table
    write: {mode: scd4, sequence_by: seq, history: silver.both_history}
  silver.states:
    <<: *table
    write: {mode: merge, snapshot_by: seq}
"""
LACK = {"place": "struct<street:string>", "items": "array<struct<sku:string>>"}
HAVE = {"place": "struct<zip:string,street:string>", "items": "array<struct<price:double,sku:string>>"}


def test_fields_come_into_tables_of_every_mode_and_rows_without_them_after(stream):
    made = stream(NESTED, {"id": "string", "seq": "int"} | LACK)

    def lands(seq, ids, **place):
        rows = [
            {"id": each, "seq": seq, "place": {"street": f"s{seq}"} | place, "items": [{"sku": "a"}]} for each in ids
        ]
        if place:
            rows[0]["items"][0]["price"] = 1.5
        made.drop(*rows)
        return made.done()

    lands(1, "ab")
    sources = made.folder / "sources.yml"
    before = sources.read_text()
    sources.write_text(before.replace(LACK["place"], HAVE["place"]).replace(LACK["items"], HAVE["items"]))
    lands(2, "bc", zip="z")
    sources.write_text(before)
    lands(3, "bc")
    old, full = {"street": "s1", "zip": None}, {"street": "s2", "zip": "z"}
    now, bare = {"street": "s3", "zip": None}, [{"sku": "a", "price": None}]
    for table in ("silver.plain", "silver.folded", "silver.both"):
        assert made.table(table, "id", "place", "items") == [("a", old, bare), ("b", now, bare), ("c", now, bare)], (
            table
        )
    assert made.table("silver.states", "id", "place") == [("b", now), ("c", now)]
    for table in ("silver.versions", "silver.both_history"):
        assert made.table(table, "id", "place", "items", "is_current") == [
            ("a", old, bare, True), ("b", old, bare, False), ("b", full, [{"sku": "a", "price": 1.5}], False),
            ("b", now, bare, True), ("c", full, bare, False), ("c", now, bare, True),
        ], table  # fmt: skip
    assert "zip" in made.lake.columns("bronze.changes")["place"]


def test_a_field_inside_a_column_is_refused_or_rescued_as_a_column_is(stream):
    def declared(more):
        return table("{id: string, place: 'struct<street:string>'}", more, "id, place")

    made = stream(declared(""), {"id": "string", "place": WIDE})
    made.drop({"id": "1", "place": {"street": "s", "zip": "z"}}, {"id": "2", "place": None})
    (failed,) = [step for step in made.run().steps if step.status == "failed"]
    assert (failed.error["code"], failed.error["message"]) == ("LL-TABLE-004", "silver.t: place.zip not declared")
    made.declare(declared("    evolve: rescue\n"))
    made.done()
    assert made.table("silver.t", "id", "place", "_rescued") == [
        ("1", {"street": "s"}, '{"place.zip":"z"}'), ("2", None, None),
    ]  # fmt: skip
    made.declare(declared("    evolve: widen\n"))
    made.done()
    assert made.table("silver.t", "id", "place") == [("1", {"street": "s", "zip": "z"}), ("2", None)]
    # What rows have brought is no break of the contract when the table is declared otherwise.
    made.declare(declared("    evolve: add\n    description: places\n"))
    made.done("silver.t", allow_breaking=False)
