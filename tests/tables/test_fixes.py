"""A fix is kept as text and gives the value back that it was made of; what it does not name keeps its own."""

import json

from lakeloom.tables.bronze import Stamp
from lakeloom.tables.fixes import as_map, laid_on, misfits, over_raw, over_rows
from lakeloom.tables.quarantine import ENTRY, ROW, marked, rejected

VALUES = {
    "text `odd` ü.x": "'a \"b\" \\\\ é'",
    "none": "cast(null as string)",
    "whole": "cast(9223372036854775807 as bigint)",
    "real": "cast(0.1 as double)",
    "endless": "cast('Infinity' as double)",
    "exact": "cast('-12345678901234567890.12345678' as decimal(38,8))",
    "day": "date'0001-01-01'",
    "moment": "timestamp'2026-03-29 01:30:00.123456'",
    "yes": "true",
    "bytes": "X'00FF0A'",
    "many": "array(named_struct('at', timestamp'2026-01-01 00:00:00.000001', 'n', cast(null as int)))",
    "named": "map('a', array(1, 2))",
}
PLACE = "named_struct('epoch', 1L, 'file', 0, 'record', {}L) as _position"


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def test_values_of_every_type_come_back(spark):
    columns = ", ".join(f"{sql} as {quoted(name)}" for name, sql in VALUES.items())
    right = spark.sql(f"select {columns}, {PLACE.format(1)}")
    kinds = {name: kind for name, kind in right.dtypes if not name.startswith("_")}
    new = right.select("_position", as_map({name: right[quoted(name)] for name in kinds}, kinds).alias("_new"))
    kept = new.selectExpr("_position as position", "cast(null as string) as earlier", "_new").withColumns(
        {"fix": laid_on("earlier", "_new")}
    )
    entries = kept.selectExpr("position", "fix", "'raw' as fix_on", "timestamp'2026-01-01' as changed_at")
    empty = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in kinds.items())
    bronze = spark.sql(f"select {empty}, {PLACE.format(1)} union all select {empty}, {PLACE.format(2)}")
    first, second = over_raw(bronze, entries).orderBy("_position").collect()
    assert first == right.first()
    assert all(second[name] is None for name in kinds)
    assert over_raw(bronze, entries).dtypes == bronze.dtypes
    assert not any(new.select(misfits(new["_new"], kinds)).first())


def test_a_later_fix_keeps_what_it_does_not_name_and_the_newest_holds(spark):
    frame = spark.sql("select '{\"a\": \"1\", \"b\": null}' as fix, map('a', '2', 'c', cast(null as string)) as _new")
    assert json.loads(frame.select(laid_on("fix", "_new")).first()[0]) == {"a": "2", "b": None, "c": None}
    wrong = spark.sql("select map('n', 'many', 'm', '1', 't', 'x') as _new")
    assert tuple(wrong.select(misfits(wrong["_new"], {"n": "int", "m": "int", "t": "string"})).first()) == (
        True,
        False,
        False,
    )


def test_a_fix_of_a_made_row_finds_that_row_alone(spark):
    rows = marked(spark.sql("select 1 as `a b`, 'x' as c union all select 1, 'y'"), "silver.t")
    mark = Stamp(1, "2026-01-01T00:00:00+00:00", "r")
    entries = rejected(rows.where("c = 'x'").selectExpr("*", "array('rule') as _reasons"), "silver.t", mark, code="k")
    assert dict(entries.first().asDict())["state"] == "open"
    fixed = entries.selectExpr("id", "row", '\'{"a b": "7"}\' as fix', "'row' as fix_on", "at as changed_at")
    found = over_rows(rows, fixed).orderBy("c").collect()
    assert [(row["a b"], row["c"]) for row in found] == [(7, "x"), (1, "y")]
    assert [json.loads(row[ROW])["a b"] for row in found] == [1, 1]  # an entry is told by the row as it was made
    assert len({row[ENTRY] for row in found}) == 2
