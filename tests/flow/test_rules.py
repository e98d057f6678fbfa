"""Rules that look beyond their table, in a whole run: other tables, a JDBC source, the clock and the past."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lakeloom.flow.background import background
from lakeloom.flow.context import Context
from lakeloom.flow.execute import perform
from lakeloom.flow.planning import plan
from lakeloom.project.graph import steps
from lakeloom.store import refs
from lakeloom.store.intents import Intents
from tests.flow.stream import Stream
from tests.shop import drop
from tests.sources.jdbc.test_source import DRIVER, Database

DAYS = """\
  silver.days:
    from: {bronze.orders: new}
    sql: |
      select try_cast(order_id as bigint) as order_id, customer, try_cast(amount as double) as amount,
        _ingested_at as seen, _position
      from bronze.orders
    write: {mode: overwrite}
    rules:
"""


def add_rules(shop, *rules):
    """Give silver.orders more rules."""
    tables = shop.conf / "shop" / "tables.yml"
    mark = "      - {column: amount, expect: values_between, min: 0, max: 10000}\n"
    text = tables.read_text()
    tables.write_text(text.replace(mark, mark + "".join(f"      - {rule}\n" for rule in rules)))


def rules_of(shop, step):
    record = Intents(shop.project().root).published(step)
    return {rule["name"]: rule for rule in record.facts["rules"]}


def error_of(result, name):
    return next(step for step in result.steps if step.name == name).error


def test_a_foreign_key_without_its_row_goes_to_quarantine_and_a_change_there_rebuilds_nothing(shop):
    add_rules(
        shop,
        "{column: customer, expect: references, to: silver.customers, to_columns: [id]}",
        "{expect: reconciles, to: gold.totals, sums: [amount], otherwise: warn}",
        "{expect: reconciles, name: with bronze, to: bronze.orders, at_most: 0, otherwise: warn}",
    )
    tables = shop.conf / "shop" / "tables.yml"
    totals = "from: {bronze.orders: whole}\n    sql: select try_cast(amount as double) as amount from bronze.orders\n"
    tables.write_text(tables.read_text() + f"  gold.totals:\n    {totals}")
    drop(
        shop.home, "orders/2026-02.csv", "order_id,customer,amount,ordered_on\n7,nobody,1,2026-02-01\n8,,2,2026-02-02\n"
    )
    done = shop.run("+silver.orders")
    assert shop.statuses(done)["silver.orders"] == "done"
    assert shop.rows("silver.orders", "order_id", "customer") == [(1, "a"), (2, "b"), (8, None)]
    broken = shop.lake.arrow("quarantine.silver__orders").to_pylist()
    assert {json.loads(row["row"])["order_id"]: row["reasons"] for row in broken} == {
        3: ["amount:values_between"],
        7: ["customer:references"],
    }
    found = rules_of(shop, "silver.orders")
    assert (found["customer:references"]["rows"], found["customer:references"]["broken"]) == (4, 1)
    assert found["reconciles:gold.totals"]["observed"] == "count 3 and 5; amount 32.5 and 28.5"
    assert not found["with bronze"]["passed"]
    # The rules' tables come before; where only they change, nothing is made again.
    drop(shop.home, "customers/more.jsonl", '{"id": "nobody", "name": "No", "city": "Rome"}\n')
    planned = {step.step.name: step for step in plan(shop.project(), ["silver.orders", "silver.customers"])}
    assert planned["silver.orders"].action == "skip"
    assert set(planned["silver.orders"].reads) == {"bronze.orders", "silver.customers", "gold.totals"}
    assert shop.statuses(shop.run("+silver.orders")) == {
        "bronze.orders": "skipped", "bronze.customers": "done", "silver.customers": "done", "gold.totals": "skipped",
        "silver.orders": "skipped",
    }  # fmt: skip


def test_what_must_reconcile_and_does_not_is_restored(ordered):
    shop = ordered
    before = shop.rows("silver.orders", "order_id")
    add_rules(shop, "{expect: reconciles, to: bronze.orders, by: {customer: customer}, relative: 1 %}")
    result = shop.run("+silver.orders")
    error = error_of(result, "silver.orders")
    assert error["code"] == "LL-RULE-002" and "reconciles:bronze.orders" in error["message"]
    # What the rules had found is kept with the failure, for their history.
    failed = Intents(shop.lake.root).latest("silver.orders").failed
    assert [(rule["name"], rule["stops"]) for rule in failed["rules"]] == [("reconciles:bronze.orders", True)]
    assert shop.rows("silver.orders", "order_id") == before


def test_a_table_against_its_jdbc_source_counts_what_was_landed(shop, spark, tmp_path):
    database = Database(spark, tmp_path / "fleet")
    database.run(
        "CREATE TABLE planes (tailnum VARCHAR(10), maker VARCHAR(5), seats INT, updated_at TIMESTAMP)",
        "INSERT INTO planes VALUES ('N1', 'A', 2147483647, '2013-01-01 00:00:00'),"
        " ('N2', 'A', 2147483647, '2013-01-02 00:00:00'), ('N3', 'B', NULL, NULL)",
    )
    (shop.conf / "shop" / "sources.yml").open("a").write(
        f"  planes: {{kind: jdbc, url: '{database.url}', driver: {DRIVER}, table: planes, keys: [tailnum],"
        " incremental: {by: updated_at}}\n"
    )
    (shop.conf / "shop" / "tables.yml").open("a").write(
        "  silver.planes:\n    from: {bronze.planes: new}\n"
        "    sql: select tailnum, maker, seats, _position from bronze.planes\n"
        "    keys: [tailnum]\n    write: {mode: merge, sequence_by: _position}\n    rules:\n"
        "      - {expect: reconciles, to: sources.planes, sums: [seats], by: [maker]}\n"
    )
    assert shop.statuses(shop.run("+silver.planes"))["silver.planes"] == "done"
    rule = rules_of(shop, "silver.planes")["reconciles:sources.planes"]
    assert (rule["rows"], rule["broken"], rule["observed"]) == (2, 0, "count 3 and 3; seats 4294967294 and 4294967294")
    # Rows that came since are not counted; a row that changed under its old watermark is.
    context = Context.of(shop.project(), "test")
    step = next(each for each in steps(shop.project()) if each.name == "silver.planes")
    intent = Intents(shop.project().root).published("silver.planes").intent
    database.run("INSERT INTO planes VALUES ('N9', 'A', 1, '2020-01-01 00:00:00')")
    beyond = background(context, spark, step, intent)
    assert beyond.totals("sources.planes", (), ("seats",)).collect()[0]["count"] == 3
    database.run("UPDATE planes SET seats = 5 WHERE tailnum = 'N1'")
    assert beyond.totals("sources.planes", (), ("seats",)).collect()[0]["sum_0"] == 2147483652


def test_freshness_is_measured_by_the_intents_clock(shop):
    (shop.conf / "shop" / "tables.yml").open("a").write(
        DAYS + "      - {column: seen, expect: fresh, within: 6 hours, otherwise: fail}\n"
    )
    assert shop.statuses(shop.run("+silver.days"))["silver.days"] == "done"
    project = shop.project()
    step = next(each for each in steps(project) if each.name == "silver.days")
    intents = Intents(project.root)
    assert 0 <= rules_of(shop, "silver.days")["seen:fresh"]["observed"] < 3600
    # The same execution as of seven hours later, whatever this machine's clock says.
    intent = intents.published("silver.days").intent
    later = (datetime.fromisoformat(intent.clock) + timedelta(hours=7)).astimezone(UTC).isoformat()
    with pytest.raises(Exception, match="LL-RULE-002"):
        perform(Context.of(project, "later"), step, type(intent)(**{**intent.__dict__, "epoch": 2, "clock": later}))


def test_volume_and_distribution_speak_once_there_are_enough_executions_and_read_recorded_profiles(shop):
    (shop.conf / "shop" / "tables.yml").open("a").write(
        DAYS
        + "      - {expect: volume, of: execution, at_least: 3}\n"
        + "      - {column: amount, expect: distribution, at_least: 3}\n"
        + "      - {column: customer, expect: distribution, at_least: 3}\n"
    )
    head = "order_id,customer,amount,ordered_on\n"

    def day(number, count, who="abc", amount=10):
        rows = "".join(f"{number}{n},{who[n % len(who)]},{amount + n % 7},2026-03-01\n" for n in range(count))
        drop(shop.home, f"orders/day-{number}.csv", head + rows)
        assert shop.statuses(shop.run("+silver.days"))["silver.days"] == "done"
        return {name: (rule["passed"], rule["observed"]) for name, rule in rules_of(shop, "silver.days").items()}

    for number, count in ((1, 20), (2, 21), (3, 20), (4, 19)):
        found = day(number, count)
        assert all(passed for passed, _ in found.values())
    odd = day(5, 60, who="z", amount=1000)
    assert odd["volume"] == (False, 60)
    assert not odd["amount:distribution"][0] and odd["amount:distribution"][1].startswith(("q", "mean"))
    assert not odd["customer:distribution"][0] and odd["customer:distribution"][1].startswith("psi")
    profile = rules_of(shop, "silver.days")["customer:distribution"]["profile"]
    assert sum(profile["shares"]) == pytest.approx(1, abs=1e-4) and max(profile["shares"]) == 1


def test_what_great_expectations_judges_after_the_commit_is_recorded_and_restores_the_table(
    tmp_path, spark, monkeypatch
):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    tables = """\
tables:
  silver.t:
    from: {bronze.changes: new}
    sql: select id, body from bronze.changes
    write: {mode: append}
    rules:
      - {column: body, expect: match_json_schema, json_schema: {type: object, required: [n]}, otherwise: LEVEL}
  gold.t:
    from: {silver.t: whole}
    sql: select count(*) as n from silver.t
"""
    shop = Stream(tmp_path, {"id": "string", "body": "string"}, tables.replace("LEVEL", "fail"))
    shop.drop({"id": "1", "body": '{"n": 1}'}, {"id": "2", "body": None})
    shop.done()
    good = refs.good(shop.lake)
    name = "body:match_json_schema"
    told = rules_of(shop, "silver.t")[name]
    assert (told["level"], told["rows"], told["broken"], told["passed"]) == ("fail", 1, 0, True)
    shop.drop({"id": "3", "body": '{"m": "kestrel"}'})
    result = shop.run()
    error = error_of(result, "silver.t")
    assert error["code"] == "LL-RULE-002" and name in error["message"] and "kestrel" not in str(error)
    assert {step.name: step.status for step in result.steps}["gold.t"] == "blocked"
    # The version that held the row was committed, and is not the published one; the newest holds what stood before.
    assert refs.good(shop.lake)["silver.t"] == good["silver.t"] < shop.lake.version("silver.t")
    assert {row["id"] for row in shop.lake.arrow("silver.t").to_pylist()} == {"1", "2"}
    failed = Intents(shop.project().root).newest("silver.t", 1)[0]
    assert [rule["broken"] for rule in failed.failed["rules"] if rule["name"] == name] == [1]
    # Taken for a warning, the row comes in, once, and is told.
    shop.declare(tables.replace("LEVEL", "warn"))
    shop.done()
    assert shop.table("gold.t", "n") == [(3,)]
    assert (rules_of(shop, "silver.t")[name]["broken"], rules_of(shop, "silver.t")[name]["passed"]) == (1, False)
