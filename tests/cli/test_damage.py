"""Broken files of a table and of its log, as a user meets them without Spark: table, file and fix are named, no traceback."""

import json
from pathlib import Path

import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from lakeloom.cli.app import app
from lakeloom.store.lake import Lake

COMMANDS = {
    "tables": ["tables"],
    "show": ["show", "silver.orders"],
    "sql": ["sql", "select sum(amount) as a from silver.orders"],
    "history": ["history", "silver.orders"],
    "plan": ["plan"],
    "check": ["check"],
    "quarantine": ["quarantine", "silver.orders"],
}


def call(*words):
    done = CliRunner().invoke(app, [*words, "--json"])
    assert "Traceback" not in done.stdout + done.stderr
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def refused(words):
    """Return what a command that fails says."""
    done = call(*words)
    assert done.exit_code == 1, (words, done.stdout)
    return done.stdout + done.stderr


@pytest.fixture
def table(home):
    return Lake(home / ".lakeloom").path("silver.orders")


def log_file(table, name):
    return Path(table) / "_delta_log" / name


def data_file(table):
    """Return the data file that the good version reads."""
    return Path(table) / DeltaTable(table, version=1).get_add_actions(flatten=True).column("path").to_pylist()[0]


DATA = {
    "truncated": lambda data: data[: len(data) // 2],
    "zeroed footer": lambda data: data[:-8] + b"\0" * 8,
    "wrong magic": lambda data: b"XXXX" + data[4:-4] + b"XXXX",
    "empty": lambda data: b"",
    "gone": lambda data: None,
}


@pytest.mark.parametrize("damage", DATA.values(), ids=DATA)
def test_a_broken_data_file_is_named_and_what_needs_only_the_log_goes_on(table, damage):
    file = data_file(table)
    left = damage(file.read_bytes())
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    for name in ("tables", "history", "plan", "check", "quarantine"):
        assert call(*COMMANDS[name]).exit_code == 0, name
    for name in ("show", "sql"):
        said = refused(COMMANDS[name])
        assert "LL-STORE-005" in said and "silver.orders" in said and file.name in said, said
        assert "lakeloom run silver.orders --full-refresh" in said
    assert call("sql", "select count(*) as n from quarantine.silver__orders").exit_code == 0


LOG = {
    "cut off": lambda text: text[: len(text) // 2],
    "no text": lambda text: b"\xff\xfe\x00",
    "empty": lambda text: b"",
}


@pytest.mark.parametrize("version", [1, 2], ids=["in the midst", "the newest"])
@pytest.mark.parametrize("damage", LOG.values(), ids=LOG)
def test_a_broken_commit_is_named_and_never_read_as_nothing(table, damage, version):
    file = log_file(table, f"{version:020d}.json")
    file.write_bytes(damage(file.read_bytes()))
    # Readers take an empty commit for one of nothing: the good version, which lies before it, is sound.
    sound = ("tables", "show", "sql") if version == 2 and not file.stat().st_size else ()
    for name in ("tables", "show", "sql", "history"):
        if name in sound:
            assert call(*COMMANDS[name]).exit_code == 0
            continue
        said = refused(COMMANDS[name])
        assert "LL-STORE-005" in said and "silver.orders" in said and file.name in said, (name, said)
        assert "back from a copy" in said
    assert call(*COMMANDS["plan"]).exit_code == 0  # nothing of it was asked


def test_a_commit_that_is_missing_is_named(table):
    file = log_file(table, f"{1:020d}.json")
    file.unlink()
    said = refused(COMMANDS["show"])
    assert "LL-STORE-005" in said and f"{file.name} is missing" in said


@pytest.mark.parametrize("left", [b"", b"PAR1 of nothing", None], ids=["empty", "garbage", "gone"])
def test_a_broken_checkpoint_is_named_and_the_table_reads_without_it(table, left):
    DeltaTable(table).create_checkpoint()
    file = log_file(table, f"{2:020d}.checkpoint.parquet")
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    for name in ("tables", "show", "sql", "history"):
        said = refused(COMMANDS[name])
        assert "LL-STORE-005" in said and file.name in said and "_last_checkpoint" in said, (name, said)
    file.unlink(missing_ok=True)
    log_file(table, "_last_checkpoint").unlink()
    assert json.loads(call(*COMMANDS["sql"]).stdout) == [{"a": 3.0}]


@pytest.mark.parametrize("file", ["commit", "rows"])
def test_broken_refs_are_named_and_no_table_is_read_at_another_version(home, file):
    refs = Path(Lake(home / ".lakeloom").path("meta.refs"))
    broken = next(refs.glob("*.parquet")) if file == "rows" else refs / "_delta_log" / f"{0:020d}.json"
    broken.write_bytes(b"{")
    for name in ("tables", "show", "sql"):
        said = refused(COMMANDS[name])
        assert "LL-STORE-005" in said and "meta.refs" in said and broken.name in said, (name, said)
