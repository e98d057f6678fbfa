"""Exports in the graph and in `check`: their steps, what makes them run anew, and every mistake with its line."""

import pytest

from lakeloom.config.load import read
from lakeloom.project.check import check, checked
from lakeloom.project.exports.tasks import tasks
from lakeloom.project.extras import needs
from lakeloom.project.graph import steps
from tests.shop import lay_out


@pytest.fixture
def conf(tmp_path):
    return lay_out(tmp_path)


def say(conf, text):
    (conf / "shop" / "exports.yml").write_text(f"exports:\n{text}")


def found(conf):
    return [
        (finding.code, finding.line, finding.path, finding.message, finding.fix) for finding in check(read(conf))[1]
    ]


def of(conf):
    return {step.name: step for step in steps(checked(read(conf))) if step.kind == "export"}


def test_an_export_is_a_step_after_its_table_and_nothing_waits_for_it(conf):
    say(conf, "  cities: {from: gold.cities, to: 's3://bucket/cities', description: what partners get}\n"
        "  raw: {from: bronze.orders, to: {kind: objects, path: out/raw, format: csv}, mode: new}\n")  # fmt: skip
    made = of(conf)
    assert [(read.table, read.mode) for step in made.values() for read in step.reads] == [
        ("bronze.orders", "new"), ("gold.cities", "whole"),
    ]  # fmt: skip
    order = [step.name for step in steps(checked(read(conf)))]
    assert order.index("gold.cities") < order.index("exports.cities")
    told = {task.name: task for task in tasks(checked(read(conf)))}
    assert (told["exports.cities"].needs, told["exports.cities"].description) == (("gold.cities",), "what partners get")
    assert needs(made["exports.cities"]) == ["aws"] and needs(made["exports.raw"]) == []


def test_words_that_change_nothing_of_what_stands_there_export_nothing_anew(conf):
    def code(more):
        say(conf, f"  cities: {{from: gold.cities, to: out/cities{more}}}\n")
        return of(conf)["exports.cities"].code

    plain = code("")
    assert plain == code(", owner: sales, description: for partners, keep: 2 days")
    assert (
        len(
            {
                plain,
                code(", format: csv"),
                code(", columns: [city]"),
                code(", where: orders > 1"),
                code(", mode: whole, objects: 2"),
            }
        )
        == 5
    )


WRONG = {
    "  a: {from: gold.citys, to: out/a}\n": ("LL-CONF-010", "gold.citys is not declared", "use 'gold.cities'"),
    "  a: {from: gold.cities}\n": ("LL-CONF-005", "to is missing", "add to:"),
    "  a: {to: out/a}\n": ("LL-CONF-005", "from is missing", "add from:"),
    "  a: [gold.cities]\n": ("LL-CONF-004", "a mapping is wanted", "write from: and to:"),
    "  'a b': {from: gold.cities, to: out/a}\n": ("LL-CONF-014", "'a b' is not a name", ""),
    "  a: {from: gold.cities, to: out/a, fromat: csv}\n": ("LL-CONF-003", "'fromat' is not a key here", "use 'format'"),
    "  a: {from: gold.cities, to: out/a, format: xml}\n": ("LL-CONF-004", "format:", ""),
    "  a: {from: gold.cities, to: {path: out/a}}\n": ("LL-CONF-005", "kind is missing", "objects"),
    "  a: {from: gold.cities, to: {kind: objcts, path: x}}\n": ("LL-CONF-020", "kind 'objcts' is unknown", "use 'objects'"),
    "  a: {from: gold.cities, to: {kind: objects, path: x, fromat: csv}}\n": ("LL-CONF-003", "'fromat' is not a key here", "use 'format'"),
    "  a: {from: gold.cities, to: {kind: objects, path: x}, format: csv}\n": ("LL-CONF-003", "'format' is not a key here", ""),
    "  a: {from: gold.cities, to: 'https://web/a'}\n": ("LL-CONF-004", "takes no objects", ""),
    "  a: {from: gold.cities, to: 's3://bucket/*/a'}\n": ("LL-CONF-004", "is a pattern, not a folder", ""),
    "  a: {from: gold.cities, to: out/a, mode: changes}\n": ("LL-TABLE-010", "has no change feed", "add change_feed: true"),
    "  a: {from: gold.cities, to: out/a, mode: new}\n": ("LL-TABLE-010", "has no change feed", "add change_feed: true"),
    "  a: {from: bronze.orders, to: out/a, mode: changes}\n": ("LL-TABLE-010", "is append-only", "write mode: new"),
    "  a: {from: gold.cities, to: out/a, columns: [town]}\n": ("LL-TABLE-003", "column 'town' is not in gold.cities", ""),
    "  a: {from: gold.cities, to: out/a, partition_by: [cty]}\n": ("LL-TABLE-003", "column 'cty' is not exported", "use 'city'"),
    "  a: {from: gold.cities, to: out/a, columns: [city], order_by: [orders]}\n": ("LL-TABLE-003", "'orders' is not exported", ""),
    "  a: {from: gold.cities, to: out/a, where: rand() < 1}\n": ("LL-CONF-004", "uses rand()", ""),
    "  a: {from: gold.cities, to: out/a, compression: snappy, format: csv}\n": ("LL-CONF-004", "snappy is none of csv", ""),
    "  a: {from: gold.cities, to: out/a, delimiter: '\"'}\n": ("LL-CONF-004", "delimiter", ""),
    "  a: {from: gold.cities, to: out/a, keep: long}\n": ("LL-CONF-004", "keep", ""),
    "  a: {from: gold.cities, to: out}\n  b: {from: gold.cities, to: out/b}\n": ("LL-CONF-002", "it goes where exports.a goes", ""),
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_one_finding_with_its_line_and_fix(conf, text):
    say(conf, text)
    code, message, fix = WRONG[text]
    ((told, line, path, said, mend),) = found(conf)
    assert (told, path.split(".")[0]) == (code, "exports") and message in said and fix in mend, (told, said, mend)
    assert line == text.count("\n") + 1


def test_what_a_wrong_table_breaks_is_no_second_mistake(conf):
    tables = conf / "shop" / "tables.yml"
    tables.write_text(
        tables.read_text().replace("    sql: sql/gold_cities.sql\n", "    sql: sql/gold_cities.sql\n    keyz: [city]\n")
    )
    say(conf, "  a: {from: gold.cities, to: out/a}\n")
    assert [each[0] for each in found(conf)] == ["LL-CONF-003"]
