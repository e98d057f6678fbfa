"""What `check` says of files' formats: the files that a source names, the package that a format needs."""

import sys

import pytest

from lakeloom.config.load import read
from lakeloom.core.extras import command
from lakeloom.project.check import check, checked
from lakeloom.project.extras import needs
from lakeloom.project.graph import steps
from tests.trips import lay_out

SOURCES = """
  prices: {kind: files, path: prices/*, format: avro, schema: price.avsc}
  events: {kind: files, path: events/*, format: protobuf, descriptor: event.pb, message: shop.Event}
  orders: {kind: files, path: orders/*, format: xml, row_tag: order, schema: order.xsd}
  plain: {kind: files, path: orders/*, format: xml, row_tag: order}
  stock: {kind: files, path: stock/*, format: xlsx}
"""


@pytest.fixture
def conf(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    conf = lay_out(tmp_path)
    file = conf / "trips" / "sources.yml"
    file.write_text(file.read_text().rstrip() + SOURCES)
    return conf


def test_files_that_a_source_names_and_that_are_not_there_are_found_without_reading_anything(conf):
    found = {finding.path: finding for finding in check(read(conf))[1]}
    assert {path: finding.code for path, finding in found.items()} == {
        "sources.prices.schema": "LL-CONF-009", "sources.events.descriptor": "LL-CONF-009", "sources.orders.schema": "LL-CONF-009",
    }  # fmt: skip
    assert found["sources.events.descriptor"].message == "event.pb does not exist"
    for name in ("price.avsc", "event.pb", "order.xsd"):
        (conf.parent / name).write_text("")
    assert check(read(conf))[1] == []


def test_a_format_says_which_extra_it_needs(conf):
    for name in ("price.avsc", "event.pb", "order.xsd"):
        (conf.parent / name).write_text("")
    wanted = {step.name: needs(step) for step in steps(checked(read(conf)))}
    names = ("prices", "events", "orders", "stock")
    assert all(wanted[f"bronze.{name}"] == ["formats"] for name in names) and wanted["bronze.plain"] == []


def test_an_unknown_format_and_a_word_of_another_are_told(conf):
    file = conf / "trips" / "sources.yml"
    file.write_text(
        file.read_text()
        + "  wrong: {kind: files, path: a/*, format: Avro}\n  more: {kind: files, path: a/*, format: csv, sheet: x}\n"
    )
    found = {finding.path: finding for finding in check(read(conf))[1]}
    assert (found["sources.wrong.format"].code, found["sources.wrong.format"].fix) == ("LL-CONF-004", "use 'avro'")
    assert "sheet is for xlsx only" in found["sources.more"].message


def test_a_missing_package_is_told_at_the_format(conf, monkeypatch):
    from lakeloom.project.extras import extras_are_installed

    for name in ("price.avsc", "event.pb", "order.xsd"):
        (conf.parent / name).write_text("")
    project = checked(read(conf))
    monkeypatch.setitem(sys.modules, "fastavro", None)
    told = {".".join(problem.path): problem.fix for problem in extras_are_installed(project, {})}
    assert told["sources.prices.format"] == told["sources.orders.schema"] == command("formats")
