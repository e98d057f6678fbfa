"""Jars come by their checksums, once; a copy is whole or not there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from stages import jars, locks
from stages.failure import SetupError
from stages.files import digest, matches, place
from stages.places import Places

CHECKOUT = Path(__file__).resolve().parents[2]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def jar(content: bytes = b"good", folder: str = ".", version: str = "1.0") -> locks.Jar:
    return locks.Jar(folder, "org.example", "thing", version, sha256(content))


class Server:
    """A stand-in for the repository: hands out fixed bytes and counts what it was asked for."""

    def __init__(self, content: bytes | None) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, wanted: Sequence[locks.Jar], folder: Path) -> None:
        for each in wanted:
            self.asked.append(each.file)
            if self.content is not None:
                (folder / each.file).write_bytes(self.content)


def test_a_jar_is_fetched_once_and_kept_for_other_checkouts(places: Places) -> None:
    server = Server(b"good")
    jars.supply(places, [jar()], server)
    jars.supply(places, [jar()], server)
    other = Places(checkout=places.checkout.with_name("other"), cache=places.cache)
    jars.supply(other, [jar()], server)
    assert server.asked == ["thing-1.0.jar"]
    assert jars.target(other, jar()).read_bytes() == b"good"


def test_a_damaged_jar_comes_from_the_cache_and_a_damaged_cache_is_fetched_again(places: Places) -> None:
    server = Server(b"good")
    jars.supply(places, [jar()], server)
    here, kept = jars.target(places, jar()), next(places.cache.rglob("thing-1.0.jar"))
    here.write_bytes(b"goof")
    assert jars.missing(places, [jar()]) == [jar()]
    jars.supply(places, [jar()], server)
    assert (here.read_bytes(), len(server.asked)) == (b"good", 1)
    here.write_bytes(b"bad")
    kept.write_bytes(b"bad")
    jars.supply(places, [jar()], server)
    assert (here.read_bytes(), kept.read_bytes(), len(server.asked)) == (b"good", b"good", 2)


@pytest.mark.parametrize(("content", "found"), [(b"other", "checksum"), (None, "could not be fetched")])
def test_a_jar_that_is_not_what_was_pinned_is_refused_and_not_kept(
    places: Places, content: bytes | None, found: str
) -> None:
    with pytest.raises(SetupError, match=f"LL-SETUP-007  org.example:thing:1.0 .*{found}"):
        jars.supply(places, [jar()], Server(content))
    assert not list(places.cache.rglob("*.jar"))
    assert not jars.target(places, jar()).exists()


def test_another_version_of_a_jar_does_not_stay_on_the_class_path(places: Places) -> None:
    jars.supply(places, [jar()], Server(b"good"))
    newer = jar(b"new", version="2.0")
    jars.supply(places, [newer], Server(b"new"))
    assert [path.name for path in places.jars.glob("*.jar")] == ["thing-2.0.jar"]


def test_the_jars_are_asked_for_without_their_dependencies() -> None:
    asked = jars.module([jar()])
    assert 'org="org.example" name="thing" rev="1.0"' in asked
    assert asked.count('transitive="false"') == 1


def test_a_copy_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_bytes(b"new")

    def half(_: Path, part: Path) -> None:
        Path(part).write_bytes(b"ne")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfile", half)
        with pytest.raises(KeyboardInterrupt):
            place(source, target)
    assert list(target.parent.iterdir()) == []
    place(source, target)
    assert matches(target, digest(source))
