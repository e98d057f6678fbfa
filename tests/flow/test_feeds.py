"""Tables fed by changes, by whole states and by several sources, in runs that follow each other."""

import json

import pytest
from deltalake import DeltaTable

from lakeloom.store.transaction import Transaction
from tests.flow.stream import Stream


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return lambda columns, tables: Stream(tmp_path, columns, tables)


def event(op, lsn, key, name=None, **more):
    row = {"id": key, "name": name} | more
    return {"before": row if op == "d" else None, "after": None if op == "d" else row, "op": op, "source": {"lsn": lsn}}


DEBEZIUM = """\
tables:
  silver.people:
    from: {bronze.changes: new}
    changes: {format: debezium, sequence: source.lsn}
    keys: [id]
    write: {mode: merge, sequence_by: _sequence, change_feed: true}
    columns: {id: bigint, name: {type: string, nullable: false}}
  silver.people_over_time:
    from: {silver.people: changes}
    changes: delta
    keys: [id]
    write: {mode: scd2, sequence_by: _sequence}
    columns: {id: bigint, name: string}
"""


def test_a_database_is_followed_and_a_table_follows_the_table(stream):
    made = stream({"before": "string", "after": "string", "op": "string", "source": "string"}, DEBEZIUM)
    made.drop(event("c", 1, 1, "Ada"), event("c", 2, 2, "Bo"), event("c", 3, "x", "Cy"), event("t", 4, 1))
    done = made.done()
    assert made.table("silver.people", "id", "name") == [(1, "Ada"), (2, "Bo")]
    assert done["silver.people"].quarantined == 2
    reasons = [row[0] for row in made.table("quarantine.silver__people", "reasons")]
    assert reasons == [["changes:operation", "name:not_null"], ["contract:id", "id:not_null"]]
    made.drop(event("d", 9, 1), event("u", 8, 1, "Ada late"), event("u", 7, 2, "Bob"), event("u", 5, 2, "Bert"))
    made.done()
    assert made.table("silver.people", "id", "name") == [(2, "Bob")]
    made.drop(event("u", 8, 1, "still too late"), event("c", 10, 1, "Ada again"))
    done = made.done()
    assert made.table("silver.people", "id", "name") == [(1, "Ada again"), (2, "Bob")]
    assert done["silver.people_over_time"].rows_out > 0
    rows = made.table("silver.people_over_time", "id", "name", "is_current")
    assert sorted(rows) == [(1, "Ada", False), (1, "Ada again", True), (2, "Bo", False), (2, "Bob", True)]
    versions = {
        row[1]: (row[2], row[3])
        for row in made.table("silver.people_over_time", "id", "name", "valid_from", "valid_to")
    }
    assert versions["Ada"][1] < versions["Ada again"][0]  # gone between
    assert versions["Bo"][1] == versions["Bob"][0]
    assert {step.status for step in made.run().steps} == {"skipped"}


GROWING = """\
tables:
  silver.people: &table
    from: {bronze.changes: new}
    changes: {format: debezium, sequence: source.lsn}
    keys: [id]
    write: {mode: merge, sequence_by: _sequence}
    evolve: POLICY
    columns: {id: bigint, name: string}
  silver.versions:
    <<: *table
    write: {mode: scd2, sequence_by: _sequence}
"""
ENVELOPE = {"before": "string", "after": "string", "op": "string", "source": "string"}


def test_a_database_gets_a_column_and_the_table_gets_it_too(stream):
    made = stream(ENVELOPE, GROWING.replace("POLICY", "add"))
    made.drop(event("c", 1, 1, "Ada"), event("c", 2, 2, "Bo"))
    made.done()
    made.drop(event("u", 3, 1, "Ada", city="Rome"), event("c", 4, 3, "Cy", city=None))
    made.done()
    made.drop(event("u", 5, 2, "Bob"))
    made.done()
    assert made.table("silver.people", "id", "name", "city") == [(1, "Ada", "Rome"), (2, "Bob", None), (3, "Cy", None)]
    assert made.table("silver.versions", "id", "name", "city", "is_current") == [
        (1, "Ada", "Rome", True), (1, "Ada", None, False), (2, "Bo", None, False), (2, "Bob", None, True),
        (3, "Cy", None, True),
    ]  # fmt: skip


def test_a_column_that_the_contract_does_not_name_is_refused_or_rescued(stream):
    made = stream(ENVELOPE, GROWING.replace("POLICY", "none"))
    made.drop(event("c", 1, 1, "Ada"))
    made.done()
    made.drop(event("u", 2, 1, "Ada", city="Rome"), event("c", 3, "two", "Bo"))
    errors = {step.name: step.error for step in made.run().steps if step.error}
    assert {(error["code"], error["message"]) for error in errors.values()} == {
        ("LL-TABLE-004", f"{name} not declared") for name in ("silver.people: city", "silver.versions: city")
    }
    made.declare(GROWING.replace("POLICY", "rescue"))
    done = made.done()
    assert made.table("silver.people", "id", "name", "_rescued") == [(1, "Ada", '{"city":"Rome"}')]
    # A key that does not fit is kept too, but where its row goes nobody can tell.
    assert done["silver.people"].quarantined == 1


FOLLOWED = """\
tables:
  silver.items:
    from: {bronze.changes: new}
    sql: select k, v, _position from bronze.changes
    keys: [k]
    write: {mode: merge, sequence_by: _position, change_feed: true}
    columns: {k: string, v: bigint}
  silver.copy: &copy
    from: {silver.items: changes}
    changes: delta
    keys: [k]
    write: {mode: merge, sequence_by: _sequence}
    columns: {k: string, v: bigint}
  silver.copy_over_time:
    <<: *copy
    write: {mode: scd2, sequence_by: _sequence}
"""


def test_who_follows_a_table_follows_it_when_it_is_built_anew(stream):
    made = stream({"k": "string", "v": "bigint"}, FOLLOWED)
    made.drop(*[{"k": f"k{each}", "v": each} for each in range(20)])
    made.done()
    # Half of the keys get another row, as a changed rule or a fix does.
    made.declare(FOLLOWED.replace("select k, v,", "select k, if(v < 10, v, 99) as v,"))
    made.done()
    rows = [(f"k{each}", each if each < 10 else 99) for each in range(20)]
    for table in ("silver.items", "silver.copy"):
        assert made.table(table, "k", "v") == sorted(rows), table
    # What is as it was is no new version.
    over = made.table("silver.copy_over_time", "k", "v", "is_current")
    assert over == sorted(
        [(k, v, True) for k, v in rows] + [(f"k{each}", each, False) for each in range(10, 20)], key=str
    )


SNAPSHOTS = """\
tables:
  silver.stock: &table
    from: {bronze.changes: new}
    sql: select sku, cast(pieces as int) as pieces, cast(day as date) as day, _position from bronze.changes
    keys: [sku]
    write: {mode: merge, snapshot_by: day}
    columns: {sku: string, pieces: int, day: date}
  silver.stock_over_time:
    <<: *table
    write: {mode: scd2, snapshot_by: day}
"""


def state(day, **pieces):
    return [{"sku": sku, "pieces": str(count), "day": day} for sku, count in pieces.items()]


def test_whole_states_say_by_what_they_lack_what_is_gone(stream):
    made = stream({"sku": "string", "pieces": "string", "day": "string"}, SNAPSHOTS)
    made.drop(*state("2026-01-01", a=1, b=2), *state("2026-01-02", a=1, c=3))
    made.done()
    assert made.table("silver.stock", "sku", "pieces") == [("a", 1), ("c", 3)]
    made.drop(*state("2026-01-03", a=5), *state("2026-01-04", a=5, b=9), *state("2026-01-02", zz=1))
    done = made.done()
    assert done["silver.stock"].quarantined == done["silver.stock_over_time"].quarantined == 1
    assert made.table("silver.stock", "sku", "pieces") == [("a", 5), ("b", 9)]
    assert [
        (sku, pieces, start.day, end and end.day)
        for sku, pieces, start, end in made.table("silver.stock_over_time", "sku", "pieces", "valid_from", "valid_to")
    ] == [("a", 1, 1, 3), ("a", 5, 3, None), ("b", 2, 1, 2), ("b", 9, 4, None), ("c", 3, 2, 3)]
    made.done("silver.*", full_refresh=True)
    # Built anew, the state that came late is in its place.
    assert ("zz", 1) in made.table("silver.stock_over_time", "sku", "pieces")


RESOLVE = """\
tables:
  silver.crm: &side
    from: {bronze.changes: new}
    sql: select id, mail, city, cast(at as int) as at from bronze.changes where source = 'crm'
    write: {mode: append}
  silver.shop:
    <<: *side
    sql: select id, mail, city, cast(at as int) as at from bronze.changes where source = 'shop'
  silver.customers:
    from: {silver.crm: whole, silver.shop: whole}
    resolve:
      sources: {silver.crm: {name: crm, newer_by: at}, silver.shop: {name: shop, newer_by: at}}
      columns: {city: newest}
      losers: silver.customers_losers
    keys: [id]
    columns: {id: string, mail: string, city: string}
"""


def test_sources_that_disagree_make_one_row_and_the_others_are_kept(stream):
    made = stream({"source": "string", "id": "string", "mail": "string", "city": "string", "at": "string"}, RESOLVE)
    made.drop({"source": "crm", "id": "1", "mail": "a@crm", "city": "Oslo", "at": "1"},
              {"source": "shop", "id": "1", "mail": "a@shop", "city": "Rome", "at": "2"},
              {"source": "shop", "id": "2", "mail": "b@shop", "city": None, "at": "1"})  # fmt: skip
    made.done()
    assert made.table("silver.customers", "id", "mail", "city") == [("1", "a@crm", "Rome"), ("2", "b@shop", None)]
    assert made.table("silver.customers_losers", "id", "column", "winner", "loser", "losing") == [
        ("1", "city", "shop", "crm", "Oslo"), ("1", "mail", "crm", "shop", "a@shop"),
    ]  # fmt: skip
    from lakeloom.store.intents import Intents

    facts = Intents(made.lake.root).published("silver.customers").facts
    assert {(each["column"], each["winner"], each["rows"]) for each in facts["conflicts"]} == {
        ("city", "shop", 1), ("mail", "crm", 1),
    }  # fmt: skip


FOREIGN = """\
tables:
  silver.t:
    from: {bronze.changes: new}
    sql: select id, v, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    columns: {id: string, v: string}
"""


def test_another_writer_between_reading_and_writing_is_waited_out(stream, monkeypatch):
    made = stream({"id": "string", "v": "string"}, FOREIGN)
    made.drop({"id": "1", "v": "a"}, {"id": "2", "v": "a"})
    made.done()
    path, real, tries = made.lake.path("silver.t"), Transaction.commit_merge, []

    def late(self, *args):
        tries.append(self.version)
        if len(tries) == 1:
            # delta-rs takes the very file that the merge has rewritten, after all its looks.
            DeltaTable(path).delete("id = '2'")
        return real(self, *args)

    monkeypatch.setattr(Transaction, "commit_merge", late)
    made.drop({"id": "1", "v": "b"})
    done = made.done()["silver.t"]
    assert done.rows_out == 1 and tries[1] > tries[0]
    assert [row[:2] for row in made.table("silver.t", "id", "v")] == [("1", "b")]


def test_days_are_replaced_and_others_stay(stream):
    made = stream({"day": "string", "v": "string"}, """\
tables:
  silver.days:
    from: {bronze.changes: new}
    sql: select cast(day as date) as day, v, _position from bronze.changes
    write: {mode: replace, by: [day], partition_by: [day]}
    columns: {day: date, v: string}
""")  # fmt: skip
    made.drop({"day": "2026-01-01", "v": "a"}, {"day": "2026-01-02", "v": "a"}, {"day": "2026-01-02", "v": "b"})
    made.done()
    made.drop({"day": "2026-01-02", "v": "c"})
    made.done()
    assert [(day.day, v) for day, v in made.table("silver.days", "day", "v")] == [(1, "a"), (2, "c")]
    assert json.dumps(made.lake.delta("silver.days").metadata().partition_columns) == '["day"]'
