"""Tags: one name for versions of many tables, that never moves and never means the rows of another table."""

import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakeloom.core.errors import LakeloomError
from lakeloom.core.names import TableRef
from lakeloom.store import refs
from lakeloom.store.identity import identity
from lakeloom.store.intents import Intents
from lakeloom.store.pins import Pin, pins
from lakeloom.store.tags import find, resolve, tag, tags, untag
from lakeloom.store.vacuumed import Vacuum, note

AT = datetime(2026, 1, 5, 9, 12, tzinfo=UTC)


@pytest.fixture
def filled(lake):
    """Give a lake with three versions of silver.a and one of gold.b."""
    for number in range(3):
        write_deltalake(lake.path("silver.a"), pa.table({"n": [number]}), mode="append")
    write_deltalake(lake.path("gold.b"), pa.table({"n": [1]}))
    refs.publish(lake, {"silver.a": 1, "gold.b": 0, "models.m": 4}, step="s", epoch=1, run="r", at=AT)
    return lake


def named(lake, name="release-7", versions=None):
    return tag(lake, name, versions or {"silver.a": 1, "gold.b": 0, "models.m": 4}, who="ada", at=AT)


def read(lake, text, good=2):
    return resolve(lake, TableRef.parse(text), good)


def refused(call, *words, **options):
    with pytest.raises(LakeloomError) as caught:
        call(*words, **options)
    return caught.value


def test_a_tag_is_one_commit_and_reads_each_table_at_its_version(filled):
    before = filled.version(refs.TABLE)
    made = named(filled)
    assert filled.version(refs.TABLE) == before + 1
    assert tags(filled) == [made] and made.who == "ada" and made.at == AT
    assert made.ids == {"silver.a": identity(filled, "silver.a"), "gold.b": identity(filled, "gold.b")}
    assert (read(filled, "silver.a@release-7"), read(filled, "gold.b@release-7")) == (1, 0)
    assert (read(filled, "silver.a"), read(filled, "silver.a@last-good"), read(filled, "silver.a@0")) == (2, 2, 0)
    assert refs.good(filled) == {"silver.a": 1, "gold.b": 0, "models.m": 4}


def test_a_tag_never_moves_and_making_it_again_changes_nothing(filled):
    made = named(filled)
    assert named(filled) == made
    wrong = refused(named, filled, versions={"silver.a": 2})
    assert wrong.code == "LL-STORE-015" and "--delete" in wrong.fix
    assert tags(filled) == [made]


def test_a_tag_that_is_deleted_is_gone_and_its_name_free(filled):
    named(filled)
    assert untag(filled, "release-7", who="ada", at=AT).versions["silver.a"] == 1
    assert tags(filled) == []
    assert refused(read, filled, "silver.a@release-7").code == "LL-STORE-002"
    assert refused(untag, filled, "release-7", who="ada", at=AT).code == "LL-STORE-002"
    assert named(filled, versions={"silver.a": 2}).versions == {"silver.a": 2}
    assert read(filled, "silver.a@release-7") == 2


def test_a_near_name_is_told_and_a_table_that_is_not_named_is_refused(filled):
    named(filled, versions={"silver.a": 1})
    assert refused(find, filled, "relaese-7").fix == "use 'release-7'"
    wrong = refused(read, filled, "gold.b@release-7")
    assert wrong.code == "LL-STORE-002" and "names no version of gold.b" in wrong.message


@pytest.mark.parametrize("name", ["", "7", "2026-01-01", "good", "last-good", "a b", "a@b", "a/..", "x-", "-x", "ü"])
def test_what_can_t_stand_behind_the_sign_is_no_name(filled, name):
    assert refused(named, filled, name).code == "LL-STORE-014"
    assert tags(filled) == []


@pytest.mark.parametrize(
    ("versions", "code"),
    [
        ({"gold.b": 0, "silver.a": 9}, "LL-STORE-002"),
        ({"gold.b": 0, "silver.none": 0}, "LL-STORE-001"),
        ({"gold.b": 0, "silver.a": 0}, "LL-STORE-012"),
    ],
)
def test_a_tag_of_a_version_that_is_gone_is_refused_whole(filled, versions, code):
    note(filled.root, "silver.a", identity(filled, "silver.a"), Vacuum(AT.isoformat(), ((0, 0),)))
    assert refused(named, filled, versions=versions).code == code
    assert tags(filled) == []


def test_of_a_table_that_was_made_anew_the_same_number_is_another_version(filled):
    named(filled)
    shutil.rmtree(filled.path("silver.a"))
    for number in range(3):
        write_deltalake(filled.path("silver.a"), pa.table({"n": [number + 10]}), mode="append")
    wrong = refused(read, filled, "silver.a@release-7")
    assert wrong.code == "LL-STORE-016" and "silver.a@1" in wrong.message
    assert read(filled, "gold.b@release-7") == 0
    assert Pin("silver.a", 1, 1, "tag release-7") not in pins(filled, Intents(filled.root), {})
    # The same name for the same numbers of the new table is another tag.
    assert refused(named, filled).code == "LL-STORE-015"


def test_what_a_tag_names_is_pinned_until_it_is_deleted(filled):
    named(filled, versions={"silver.a": 0, "models.m": 4})
    assert Pin("silver.a", 0, 0, "tag release-7") in pins(filled, Intents(filled.root), {})
    untag(filled, "release-7", who="ada", at=AT)
    assert {pin.by for pin in pins(filled, Intents(filled.root), {})} == {"last good version"}


def test_refs_that_an_older_release_has_written_are_read(filled):
    columns = {name: kind for name, kind in refs.COLUMNS.items() if name not in ("id", "who")}
    shutil.rmtree(filled.path(refs.TABLE))
    row = {"table": "silver.a", "name": "old", "version": 0, "step": "", "epoch": 0, "run": "", "at": AT, "order": 0}
    from lakeloom.store.meta import append

    append(filled, refs.TABLE, columns, [row])
    assert read(filled, "silver.a@old") == 0
    assert [each.name for each in tags(filled)] == ["old"]
    named(filled)
    assert [each.name for each in tags(filled)] == ["old", "release-7"]


def test_an_identity_is_delta_s_own_and_outlives_the_first_commit(filled):
    table = DeltaTable(filled.path("silver.a"))
    assert identity(filled, "silver.a") == str(table.metadata().id)
    assert identity(filled, "silver.none") == ""
    table.create_checkpoint()
    from pathlib import Path

    (Path(filled.path("silver.a")) / "_delta_log" / f"{0:020d}.json").unlink()
    assert identity(filled, "silver.a") == str(table.metadata().id)
