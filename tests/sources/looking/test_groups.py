"""Which files of a place are one source, under which name and glob."""

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.looking.groups import groups
from lakeloom.sources.looking.places import Entry


def found(*names, pattern="", called="landing"):
    return {
        each.name: (each.pattern, len(each.entries)) for each in groups([Entry(n, 1) for n in names], pattern, called)
    }


@pytest.mark.parametrize(
    ("names", "sources"),
    [
        (["orders.csv", "customers.csv"], {"orders": ("orders.csv", 1), "customers": ("customers.csv", 1)}),
        (["2026-01.csv", "2026-02.csv"], {"landing": ("*.csv", 2)}),
        (["orders_2026-01.csv", "orders_2026-02.csv"], {"orders": ("*.csv", 2)}),
        (["orders_1.csv", "orders_2.csv", "orders_lines_1.csv"],
         {"orders": ("orders_[0-9]*.csv", 2), "orders_lines": ("orders_lines_1.csv", 1)}),
        (["orders/1.csv", "orders/2.csv", "weather/a.jsonl", "weather/b.jsonl"],
         {"orders": ("orders/*.csv", 2), "weather": ("weather/*.jsonl", 2)}),
        (["in/a.csv", "in/b.json"], {"in": ("in/*.csv", 1), "in_2": ("in/*.json", 1)}),
        (["sales/day=1/p-0.parquet", "sales/day=2/p-0.parquet"], {"sales": ("sales/**/*.parquet", 2)}),
        (["2026/01/a.csv.gz", "2026/02/b.csv.gz"], {"landing": ("**/*.csv.gz", 2)}),
        (["Order Lines.csv"], {"order_lines": ("*.csv", 1)}),
    ],
)  # fmt: skip
def test_files_are_parted_into_sources(names, sources):
    assert found(*names) == sources


def test_a_glob_that_was_asked_for_stays_as_it_is():
    assert found("a/1.csv", "b/2.csv", "c.csv", pattern="*/*.csv", called="shop") == {"shop": ("*/*.csv", 2)}
    assert found("orders[1].csv", "x.csv", pattern="orders[1].csv") == {"orders": ("orders[1].csv", 1)}


def test_nothing_is_refused():
    for pattern in ("", "*.csv"):
        with pytest.raises(SourceError, match="LL-SOURCE-008"):
            groups([], pattern, "landing")
