"""A place in a store that is asked as a path is, against a real server of each kind."""

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.objects.address import Address
from lakeloom.objects.base import TakenError
from lakeloom.objects.claim import claimed
from lakeloom.objects.faults import unreachable
from lakeloom.objects.opened import opening
from lakeloom.objects.path import ObjectPath, beside


# The kinds that a storage root may lie in.
@pytest.fixture(params=["s3", "moto", "gs", "abfss"])
def root(request, bucket_of, tmp_path):
    bucket = bucket_of(request.param)
    return ObjectPath(opening(Address.parse(f"{bucket.root}/lake"), bucket.stores), "lake", tmp_path)


def test_what_is_put_is_there_and_so_is_what_it_lies_in(root):
    place = root / "intents" / "bronze.words" / "00000001.json"
    assert not place.exists() and not root.is_dir()
    place.write_text("{}")
    (root / "intents" / "bronze.words" / "00000001.done.json").write_text('"ü"')
    (root / "intents" / "silver.words" / "00000001.json").write_text("")
    assert place.is_file() and place.exists() and not place.is_dir()
    assert (root / "intents").is_dir() and (root / "intents").exists() and not (root / "intents").is_file()
    assert not (root / "int").exists()
    assert sorted(each.name for each in (root / "intents").iterdir()) == ["bronze.words", "silver.words"]
    names = sorted(each.name for each in (root / "intents/bronze.words").iterdir())
    assert names == ["00000001.done.json", "00000001.json"]
    assert sorted(map(str, root.glob("intents/*/*.json"))) == [
        f"{root}/intents/bronze.words/00000001.done.json", f"{root}/intents/bronze.words/00000001.json",
        f"{root}/intents/silver.words/00000001.json",
    ]  # fmt: skip
    assert {name: facts.st_size for name, facts in (root / "intents/bronze.words").walk()} == {
        "00000001.json": 2, "00000001.done.json": 4,
    }  # fmt: skip


def test_a_text_is_read_written_over_and_taken_away(root):
    place = root / "audit.json"
    with pytest.raises(FileNotFoundError):
        place.read_text()
    with pytest.raises(FileNotFoundError):
        place.stat()
    place.create_text("one")
    with pytest.raises(FileExistsError):
        place.create_text("two")
    assert (place.read_text(), place.stat().st_size) == ("one", 3)
    place.write_text("three\nlines\n!")
    with place.open() as lines:
        assert [line.strip() for line in lines] == ["three", "lines", "!"]
    with place.open("rb") as content:
        assert content.read(5) == b"three"
    with pytest.raises(ValueError, match="whole"):
        place.open("a")
    place.unlink()
    with pytest.raises(FileNotFoundError):
        place.unlink()
    place.unlink(missing_ok=True)
    assert not place.exists()


def test_a_folder_is_cleared_and_its_neighbour_is_not(root):
    for name in ("a/1", "a/b/2", "ab/3"):
        (root / name).write_text(name)
    (root / "a").clear()
    assert sorted(name for name, _ in root.walk()) == ["ab/3"]


def test_what_others_put_there_for_a_folder_is_no_file(bucket_of, tmp_path):
    bucket = bucket_of("s3")
    root = ObjectPath(opening(Address.parse(f"{bucket.root}/lake"), bucket.stores), "lake", tmp_path)
    bucket.put("lake/log/", b"")
    bucket.put("lake/log/staged/", b"")
    assert (root / "log").is_dir() and list(root.walk()) == []
    assert [each.name for each in (root / "log").iterdir()] == ["staged"]
    (root / "log").clear()
    assert not (root / "log").exists()


def test_a_version_is_written_over_once(root):
    place = root / "lock"
    place.create_text("first")
    version = place.store.head(place.key).version
    place.store.put(place.key, b"second", over=version)
    with pytest.raises(TakenError):
        place.store.put(place.key, b"third", over=version)
    assert place.read_text() == "second"
    place.unlink()
    with pytest.raises(TakenError):
        place.store.put(place.key, b"fourth", over=version)


@pytest.mark.parametrize("asks_again", [False, True])
def test_what_was_put_before_its_answer_was_lost_is_ones_own(root, monkeypatch, asks_again):
    kind, place = type(root.store), root / "lock"
    right = kind.put

    def put(store, key, content, **more):
        right(store, key, content, **more)
        if asks_again:  # as clients do by themselves: the store refuses the second try for the sake of the first
            return right(store, key, content, **more)
        raise unreachable(key, "gone")

    with monkeypatch.context() as patched:
        patched.setattr(kind, "put", put)
        place.create_text("mine")
        claimed(root.store, place.key, b"mine too", over=root.store.head(place.key).version)
        assert place.read_text() == "mine too"
        place.unlink()
    place.create_text("another's")
    with pytest.raises(FileExistsError):
        place.create_text("mine")
    assert place.read_text() == "another's"


def test_what_can_not_lie_in_a_store_has_a_folder_beside_it(root, tmp_path):
    assert beside(root / "runs") == tmp_path and beside(tmp_path / "runs") == tmp_path / "runs"


def test_names_are_those_of_a_path(root):
    place = root / "intents/00000001.json"
    assert (place.name, place.stem, place.parent.name) == ("00000001.json", "00000001", "intents")
    assert place.with_suffix(".done.json").name == "00000001.done.json"
    assert "secret" not in repr(place) and "key" not in repr(place).lower()


def test_a_bucket_that_is_not_there_is_told_and_not_taken_for_empty(bucket_of, tmp_path):
    for kind in ("s3", "gs", "abfss"):
        bucket = bucket_of(kind)
        nowhere = bucket.root.replace("loom-", "nowhere-")
        found = opening(Address.parse(f"{nowhere}/lake"), {nowhere: bucket.stores[bucket.root]})
        with pytest.raises(LakeloomError) as caught:
            list((ObjectPath(found, "lake", tmp_path) / "intents").iterdir())
        assert caught.value.code == "LL-SOURCE-001"
