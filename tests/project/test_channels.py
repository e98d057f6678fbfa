import pytest

from lakeloom.config.load import read
from lakeloom.project.check import check
from lakeloom.project.graph import steps
from tests.shop import SOURCES, TABLES, lay_out


@pytest.fixture
def conf(tmp_path):
    return lay_out(tmp_path)


def findings(conf):
    return {(found.path, found.code): found for found in check(read(conf))[1]}


def add(conf, text):
    (conf / "base.yml").write_text((conf / "base.yml").read_text() + text)


def test_each_mistake_of_a_channel_is_told_at_its_line(conf):
    add(
        conf,
        "notify:\n"
        "  - {kind: slak, url: x}\n"
        "  - {kind: slack, urll: x, on: [failures]}\n"
        "  - {on: failure}\n"
        "  - {kind: email, host: h, from: a@b.c, port: many}\n"
        "  - {kind: webhook, url: '${secret:a/b}', secret: '${secret:a/c}', on: failure}\n",
    )
    found = findings(conf)
    assert found[("notify.0.kind", "LL-CONF-020")].fix == "use 'slack'"
    assert found[("notify.1.urll", "LL-CONF-003")].fix == "use 'url'"
    assert ("notify.1.url", "LL-CONF-005") in found and ("notify.2", "LL-CONF-005") in found
    assert any(path.startswith("notify.1.on") and code == "LL-CONF-004" for path, code in found)
    assert ("notify.3.port", "LL-CONF-004") in found
    assert not any(path.startswith("notify.4") for path, _ in found)
    assert {each.line for each in found.values() if each.path.startswith("notify.1")} == {6}


def test_an_owner_without_address_and_a_share_that_is_none(conf):
    add(conf, "owners: {shop-dat: a@example.com}\n")
    assert findings(conf)[("tables.silver.orders.owner", "LL-CONF-010")].fix == "use 'shop-dat'"
    add(conf, "quarantine_above: 150%\n")
    assert ("quarantine_above", "LL-CONF-004") in findings(conf)


def test_freshness_needs_a_column_of_times(conf):
    tables = conf / "shop" / "tables.yml"
    tables.write_text(TABLES.replace("    owner: shop-data\n", "    freshness: 1 day\n"))
    assert ("tables.silver.orders.freshness", "LL-CONF-005") in findings(conf)
    tables.write_text(TABLES.replace("    owner: shop-data\n", "    freshness: soon\n    event_time: orderd_on\n"))
    found = findings(conf)
    assert ("tables.silver.orders.freshness", "LL-CONF-004") in found
    tables.write_text(TABLES.replace("    owner: shop-data\n", "    event_time: orderd_on\n"))
    assert findings(conf)[("tables.silver.orders.event_time", "LL-TABLE-003")].fix == "use 'ordered_on'"
    tables.write_text(TABLES.replace("    owner: shop-data\n", "    event_time: amount\n"))
    assert ("tables.silver.orders.event_time", "LL-CONF-004") in findings(conf)


def test_a_sources_words_are_checked_and_move_no_code(conf):
    before = {step.name: step.code for step in steps(check(read(conf))[0])}
    sources = conf / "shop" / "sources.yml"
    sources.write_text(SOURCES.replace("format: csv}", "format: csv, freshness: 1 day, quarantine_above: 2%}"))
    words = "    owner: shop-data\n    event_time: ordered_on\n    freshness: 1 day\n    quarantine_above: 0.1\n"
    (conf / "shop" / "tables.yml").write_text(TABLES.replace("    owner: shop-data\n", words))
    project, wrong = check(read(conf))
    assert wrong == []
    assert {step.name: step.code for step in steps(project)} == before
    sources.write_text(SOURCES.replace("format: csv}", "format: csv, freshness: 1 month, quarantine_above: 7}"))
    found = findings(conf)
    assert ("sources.orders.freshness", "LL-CONF-004") in found
    assert ("sources.orders.quarantine_above", "LL-CONF-004") in found
