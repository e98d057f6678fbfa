"""``lakeloom upkeep`` and what other commands say of versions that were vacuumed; nothing here starts Spark."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.cli.app import app
from lakeloom.flow import prepare
from lakeloom.flow import vacuum as sweeping
from lakeloom.store import refs
from lakeloom.store.meta import append
from lakeloom.store.refs import COLUMNS, TABLE
from lakeloom.store.vacuumed import Vacuum, note


class Later(datetime):
    """A clock two hours ahead."""

    @classmethod
    def now(cls, zone=None):
        return datetime.now(zone) + timedelta(hours=2)


def call(*words):
    return CliRunner().invoke(app, list(words))


def test_the_platforms_own_tables_are_kept_without_a_jvm(home, monkeypatch):
    lake = open_lakehouse().lake
    for order in range(5):
        append(lake, TABLE, COLUMNS, [{"table": "silver.x", "name": "old", "version": order, "order": order}])
    before = lake.size("meta.refs")
    ahead = json.loads(call("upkeep", "meta", "--dry-run", "--json").stdout)
    (entry,) = [each for each in ahead["tables"] if each["table"] == "meta.refs"]
    assert ahead["run"] is None and entry["done"][0].startswith("compact:")
    assert lake.size("meta.refs") == before
    done = call("upkeep", "meta", "--json")
    document = json.loads(done.stdout)
    (entry,) = [each for each in document["tables"] if each["table"] == "meta.refs"]
    assert set(entry) == {
        "table", "version", "done", "skipped", "files_before", "files_after", "bytes_rewritten", "files_deleted",
        "bytes_freed", "left", "gone", "kept",
    }  # fmt: skip
    assert (entry["files_before"], entry["files_after"], entry["files_deleted"]) == (before.files, 1, 0)
    assert done.exit_code == 0 and document["run"]["status"] == "done"
    assert lake.size("meta.refs").rows >= before.rows
    assert call("upkeep", "gold.nothing").exit_code == 1
    # With a span that its history is to last, what is older goes; what stands in it stays.
    base = home / "conf/base.yml"
    base.write_text(base.read_text() + "upkeep: {vacuum: {keep: 1 hour}}\n")
    monkeypatch.setattr(prepare, "datetime", Later)
    rows = lake.size("meta.refs").rows
    shown = call("upkeep", "meta")
    assert shown.exit_code == 0 and "keep 1 hour" not in shown.stdout and "newest" in shown.stdout
    files = list(Path(lake.path("meta.refs")).glob("*.parquet"))
    assert len(files) == lake.size("meta.refs").files and lake.size("meta.refs").rows >= rows
    assert len(lake.arrow("meta.refs")) == lake.size("meta.refs").rows


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def test_killed_in_a_vacuum_the_platforms_own_tables_are_whole_and_it_is_gone_on_with(home, monkeypatch):
    base = home / "conf/base.yml"
    base.write_text(base.read_text() + "upkeep: {vacuum: {keep: 1 hour}}\n")
    lake = open_lakehouse()
    for order in range(5):
        append(lake.lake, TABLE, COLUMNS, [{"table": "silver.x", "name": "old", "version": order, "order": order + 9}])
    monkeypatch.setattr(prepare, "datetime", Later)
    assert lake.upkeep("meta").exit_code == 0  # what it puts together goes the next time
    named, right = refs.entries(lake.lake), sweeping.delete

    def half(lake, table, files, session):
        right(lake, table, files[: len(files) // 2], session)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "delete", half)
        with pytest.raises(Killed):
            lake.upkeep("meta")
    assert refs.entries(lake.lake) == named and lake.verify_audit().broken == ""
    (entry,) = [each for each in lake.upkeep("meta").tables if each["table"] == "meta.refs"]
    assert refs.entries(lake.lake) == named and lake.verify_audit().broken == ""
    # Told once, though two have done it; what the first one took is told by the second.
    told = [row["detail"] for row in lake.audit("meta.refs") if row["action"] == "vacuum"]
    assert told == [f"versions {entry['gone']}"] and entry["gone"] and entry["left"] == 0


def test_a_vacuumed_version_is_named_by_history_show_and_sql(home):
    lake = open_lakehouse().lake
    identity = str(lake.delta("silver.orders").metadata().id)
    note(lake.root, "silver.orders", identity, Vacuum("2026-03-01T03:00:00+00:00", ((0, 0),)))
    entries = json.loads(call("history", "silver.orders", "--json").stdout)
    assert {entry["version"]: entry["readable"] for entry in entries} == {0: False, 1: True, 2: True}
    assert "vacuumed" in call("history", "silver.orders").stdout
    for words in (["show", "silver.orders@0"], ["sql", "select * from silver.orders@0"]):
        done = call(*words)
        assert done.exit_code == 1 and "LL-STORE-012" in done.stderr
        assert "2026-03-01T03:00:00" in done.stderr and "kept: 1–2" in done.stderr
    assert call("show", "silver.orders").exit_code == 0 and call("show", "silver.orders@2").exit_code == 0
