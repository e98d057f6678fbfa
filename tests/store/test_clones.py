"""Clones and branches share data files, and nothing that is done to one is seen in another."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import TableName
from lakeloom.store import branches, clones, refs
from lakeloom.store.clones import clone, share
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake
from lakeloom.store.pins import Pin, pins

AT = datetime(2026, 1, 5, 9, 12, tzinfo=UTC)
T, U = TableName("silver", "t"), TableName("silver", "u")


@pytest.fixture
def filled(lake):
    """Give a lake with a table of four versions, the second last one good, and an execution that published."""
    for number in range(3):
        data = pa.table({"k": [number], "p": [f"a {number % 2}"]})
        write_deltalake(lake.path(T), data, mode="append", partition_by=["p"])
    DeltaTable(lake.path(T)).create_checkpoint()
    write_deltalake(lake.path(T), pa.table({"k": [99], "p": ["b"]}), mode="append")
    intents = Intents(lake.root)
    for epoch in (1, 2):
        intent = Intent("silver.t", epoch, f"r{epoch}", AT.isoformat(), 7, "code")
        intents.begin(intent)
        if epoch == 1:
            intents.finish(intent, {"versions": {"silver.t": 2}})
    refs.publish(lake, {"silver.t": 2, "models.m": 1}, step="silver.t", epoch=1, run="r1", at=AT)
    return lake


def keys(lake, table, version=None):
    return sorted(row["k"] for row in lake.arrow(table, version).to_pylist())


def refused(call, *words, **options):
    with pytest.raises(LakeloomError) as caught:
        call(*words, **options)
    return caught.value


def bytes_of(folder):
    """Return the bytes that a folder adds to the disk: files of which it has the only name."""
    files = [file for file in Path(folder).rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files if file.stat().st_nlink == 1)


def test_a_clone_is_a_table_of_its_own_that_takes_no_room(filled):
    laid = clone(filled, T, 1, U, {"step": "clone.silver.u"})
    assert keys(filled, U) == [0, 1] and filled.version(U) == 0 and laid.files == 2
    assert identity(filled, U) != identity(filled, T)
    assert filled.history(U)[0]["manifest"] == {"step": "clone.silver.u"}
    data = list(Path(filled.path(U)).rglob("*.parquet"))
    assert len(data) == 2 and all(file.stat().st_nlink == 2 for file in data)
    # Either is written and emptied, and the other stands.
    write_deltalake(filled.path(U), pa.table({"k": [7], "p": ["a 0"]}), mode="append")
    assert keys(filled, U) == [0, 1, 7] and keys(filled, T, 1) == [0, 1]
    shutil.rmtree(filled.path(T))
    assert keys(filled, U) == [0, 1, 7] and not list((filled.root / "drafts").iterdir())


def test_a_full_clone_has_bytes_of_its_own(filled):
    clone(filled, T, 2, U, {}, full=True)
    assert keys(filled, U) == [0, 1, 2]
    assert all(file.stat().st_nlink == 1 for file in Path(filled.path(U)).rglob("*.parquet"))


def test_what_can_t_be_cloned_is_refused_and_leaves_nothing(filled, monkeypatch):
    assert refused(clone, filled, T, 1, T, {}).code == "LL-STORE-018"

    def other_device(*words):
        raise OSError(18, "Invalid cross-device link")

    with monkeypatch.context() as patched:
        patched.setattr(clones.os, "link", other_device)
        wrong = refused(clone, filled, T, 1, U, {})
        assert wrong.code == "LL-STORE-019" and "--full" in wrong.fix
    assert not filled.exists(U) and not list((filled.root / "drafts").iterdir())
    right = clones.snapshot

    def modern(*words):
        found = right(*words)
        found.protocol = found.protocol | {"writerFeatures": ["rowTracking"]}
        return found

    monkeypatch.setattr(clones, "snapshot", modern)
    assert "rowTracking" in refused(clone, filled, T, 1, U, {}).message


def test_a_shared_log_has_the_same_numbers_until_its_version_and_its_own_after(filled, tmp_path):
    other = Lake(filled.root / "elsewhere")
    share(filled, T, 2, other)
    assert other.version(T) == 2 and identity(other, T) == identity(filled, T)
    assert [keys(other, T, version) for version in range(3)] == [[0], [0, 1], [0, 1, 2]]
    write_deltalake(other.path(T), pa.table({"k": [7], "p": ["a 0"]}), mode="append")
    assert keys(other, T) == [0, 1, 2, 7] and keys(filled, T) == [0, 1, 2, 99]
    DeltaTable(other.path(T)).create_checkpoint()
    DeltaTable(other.path(T)).optimize.compact()
    assert keys(filled, T) == [0, 1, 2, 99] and filled.version(T) == 3


def test_a_branch_is_what_was_published_and_costs_the_log_s_bytes_alone(filled):
    made = branches.make(filled, "work", who="ada", at=AT)
    other = Lake(branches.place(filled.root, "work"))
    assert made.base == {"silver.t": 2, "models.m": 1} and made.epochs == {"silver.t": 1}
    assert branches.read(filled.root, "work") == made and branches.branches(filled.root) == [made]
    assert refs.good(other) == refs.good(filled) and keys(other, T) == [0, 1, 2]
    # An execution that was not finished is main's own business: the branch knows nothing of it.
    assert [each.intent.epoch for each in Intents(other.root).history("silver.t")] == [1]
    parquet = sum(file.stat().st_size for file in Path(other.path(T)).glob("p=*/*.parquet"))
    assert (
        bytes_of(Path(other.path(T)))
        - sum(
            file.stat().st_size for file in (Path(other.path(T)) / "_delta_log").iterdir() if file.stat().st_nlink == 1
        )
        == 0
        < parquet
    )
    assert Pin("silver.t", 2, 2, "branch work") in pins(filled, Intents(filled.root), {})


def test_two_branches_and_main_never_see_each_other(filled):
    for name, key in (("one", 7), ("two", 8)):
        branches.make(filled, name, who="ada", at=AT)
        other = Lake(branches.place(filled.root, name))
        write_deltalake(other.path(T), pa.table({"k": [key], "p": ["a 0"]}), mode="append")
        refs.publish(other, {"silver.t": 3, "gold.new": 0}, step="silver.t", epoch=2, run="r", at=AT)
        Intents(other.root).begin(Intent("silver.t", 2, "r", AT.isoformat(), 7, "other"))
    one, two = (Lake(branches.place(filled.root, name)) for name in ("one", "two"))
    assert (keys(one, T), keys(two, T), keys(filled, T)) == ([0, 1, 2, 7], [0, 1, 2, 8], [0, 1, 2, 99])
    assert refs.good(filled) == {"silver.t": 2, "models.m": 1}
    assert Intents(filled.root).latest("silver.t").intent.code == "code"
    branches.drop(filled.root, "one")
    assert keys(two, T) == [0, 1, 2, 8] and not branches.exists(filled.root, "one")
    assert [each.name for each in branches.branches(filled.root)] == ["two"]


@pytest.mark.parametrize("after", [0, 3, 8])
def test_killed_while_it_is_made_there_is_no_branch_and_the_next_call_makes_it(filled, monkeypatch, after):
    class Killed(BaseException):
        pass

    right, left = os.link, [after]

    def link(*words):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return right(*words)

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", link)
        with pytest.raises(Killed):
            branches.make(filled, "work", who="ada", at=AT)
    assert branches.branches(filled.root) == [] and not branches.exists(filled.root, "work")
    branches.make(filled, "work", who="ada", at=AT)
    assert [entry.name for entry in (filled.root / "branches").iterdir()] == ["work"]


def test_killed_while_it_is_deleted_it_is_gone_and_the_rest_goes_with_the_next(filled, monkeypatch):
    branches.make(filled, "work", who="ada", at=AT)
    with monkeypatch.context() as patched:
        patched.setattr(branches, "tidy", lambda root: None)
        branches.drop(filled.root, "work")
    assert not branches.exists(filled.root, "work") and branches.branches(filled.root) == []
    branches.make(filled, "work", who="ada", at=AT)
    assert [entry.name for entry in (filled.root / "branches").iterdir()] == ["work"]


def test_what_is_not_there_or_there_already_is_told(filled):
    branches.make(filled, "work", who="ada", at=AT)
    assert refused(branches.make, filled, "work", who="ada", at=AT).code == "LL-BRANCH-001"
    wrong = refused(branches.read, filled.root, "wrok")
    assert wrong.code == "LL-BRANCH-001" and wrong.fix == "use 'work'"
    (branches.place(filled.root, "work") / "branch.json").write_text("{")
    assert refused(branches.read, filled.root, "work").code == "LL-STORE-005"
