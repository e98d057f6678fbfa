"""The dictionary's pages: well-formed, escaped, nothing personal, links that lead somewhere, also of a wide project."""

import dataclasses
import json

import pytest

from lakeloom.core.secrets import remember
from lakeloom.pages.dictionary import ColumnEntry, Dictionary, TableEntry, render
from lakeloom.pages.model import Mark, Report, TrackFact
from lakeloom.pages.report import render as render_report
from lakeloom.pages.strips import strip, tracks
from tests.pages import sample
from tests.pages.test_report import inject, read

MARKS = tuple(
    Mark(outcome, f"r{at}", f"2026-01-0{at + 1}T10:00:00+00:00", 100, 0 if outcome == "passed" else 7)
    for at, outcome in enumerate(["passed", "passed", "warned", "passed", "quarantined", "failed"])
)
ORDERS = TableEntry(
    "silver.orders", "silver", "What customers ordered", "shop-data", 1234, (("Keys", "order_id"), ("Written by", "merge")),
    (
        ColumnEntry("order_id", "bigint", nullable=False, key=True, null_share=0.0, distinct=1234, low="1", high="1,234"),
        ColumnEntry("amount", "decimal(10,2)", unit="euro", description="what was paid", null_share=0.01, low="0", high="99",
                    rules=(("values_between", "quarantined"), ("not_null", ""))),
        ColumnEntry("born", "date", tags=("pii",), guarded=True, low="1900-01-01", high="2001-02-03"),
    ),
    (("bronze.orders", "new"), ("sources.other", "lands")), (("gold.revenue", "whole"),),
    (TrackFact("silver.orders", "amount:values_between", "quarantine", "amount", MARKS),), "Figures of version 3.", (("DuckDB", "import duckdb"),),
)  # fmt: skip
BOOK = Dictionary(
    "shop", "2026-01-31 10:00 UTC", (TableEntry("bronze.orders", "bronze"), ORDERS, TableEntry("gold.revenue", "gold"))
)


def test_every_page_is_well_formed_and_says_what_is_known():
    pages = render(BOOK)
    assert list(pages) == [
        "index.html",
        "tables/bronze.orders.html",
        "tables/silver.orders.html",
        "tables/gold.revenue.html",
    ]
    read(pages["index.html"])
    table = read(pages["tables/silver.orders.html"])
    for said in (
        "What customers ordered",
        "what was paid in euro",
        "never",
        "1.0 %",
        "1,234",
        "values_between",
        "import duckdb",
        "merge",
    ):
        assert said in table.text, said
    assert [attrs["id"] for tag, attrs in table.tags if tag == "section"] == ["columns", "rules", "lineage", "query"]
    assert "has not been built yet" in read(pages["tables/gold.revenue.html"]).text


def test_values_of_a_guarded_column_are_not_on_the_page():
    page = render(BOOK)["tables/silver.orders.html"]
    assert "1900-01-01" not in page and "2001-02-03" not in page and page.count("not shown</span>") == 2


def test_links_lead_to_pages_and_to_columns():
    pages = render(BOOK)
    for name, page in pages.items():
        for tag, attrs in read(page).tags:
            target = str(attrs.get("href") or "")
            if tag == "a" and not target.startswith("#"):
                path = (
                    target
                    if name == "index.html"
                    else target.removeprefix("../")
                    if target.startswith("..")
                    else f"tables/{target}"
                )
                assert path in pages, target
    assert 'id="c-amount"' in pages["tables/silver.orders.html"]
    assert (
        "sources.other" in pages["tables/silver.orders.html"]
        and 'href="sources.other' not in pages["tables/silver.orders.html"]
    )


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '" onload="x', "{{ 7*7 }}", "a\u202eb\x00", "'\n\t&"])
def test_texts_are_data(evil):
    tables = tuple(
        dataclasses.replace(inject(table, evil), name=table.name, layer=table.layer) for table in BOOK.tables
    )
    for page in render(dataclasses.replace(BOOK, tables=tables, project=f"p{evil}")).values():
        reader = read(page)
        assert sum(tag == "script" for tag, _ in reader.tags) == 1 and "\x00" not in page and "\u202e" not in page
        assert not any(name.startswith("on") for _, attrs in reader.tags for name in attrs)
        assert "49" not in reader.text or "{{ 7*7 }}" not in evil


def test_a_secret_is_masked():
    remember("hunter2hunter2")
    told = dataclasses.replace(ORDERS, description="by hunter2hunter2")
    assert not any("hunter2" in page for page in render(dataclasses.replace(BOOK, tables=(told,))).values())


def test_a_wide_table_is_a_page_of_its_own_and_the_index_stays_small():
    wide = TableEntry(
        "silver.wide", "silver", columns=tuple(ColumnEntry(f"c{at}", "double", null_share=0.1) for at in range(500))
    )
    pages = render(dataclasses.replace(BOOK, tables=(wide,)))
    assert read(pages["tables/silver.wide.html"]).text.count("10.0 %") == 500
    assert len(pages["index.html"]) < 60_000 and "c499" in pages["index.html"]


def test_a_strip_has_a_bar_for_each_execution_that_did_not_pass_and_one_for_those_in_a_row_that_did():
    drawn = str(strip(MARKS))
    assert drawn.count("<rect") == 5 and "passed, 2 times" in drawn and "7 of 100 rows" in drawn
    assert 'aria-label="3 passed, 1 warned, 1 quarantined, 1 failed"' in drawn
    # Told by height as well as by colour.
    assert [drawn.count(f'height="{height}"') for height in (4, 9, 13)] == [2, 1, 1]


def test_rules_that_fare_worst_come_first():
    good = TrackFact("silver.a", "a", "warn", None, MARKS[:1])
    table = tracks([good, ORDERS.tracks[0], TrackFact("silver.b", "never judged", "warn")])
    assert [row[1] for row in table.rows] == ["amount:values_between", "a"] and table.rows[0][-1] == "3 of 6"
    assert tracks([]) is None


def test_the_report_of_a_run_shows_rules_over_time():
    report = dataclasses.replace(sample.report(), tracks=ORDERS.tracks)
    page = read(render_report(report))
    assert "Rules over time" in page.text and any(attrs.get("class") == "strip" for _, attrs in page.tags)
    again = Report.from_facts(json.loads(json.dumps(dataclasses.asdict(report), default=str)))
    assert again.tracks == report.tracks
