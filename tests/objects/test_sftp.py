"""What is SFTP's own as a store: folders, links, what its versions tell, listings in pages, what is put."""

import os
import pwd

import pytest

from lakeloom.core.errors import LakeloomError, SourceError
from lakeloom.objects.address import Address
from lakeloom.objects.base import Found, MovedError
from lakeloom.objects.sftp import Sftp
from lakeloom.objects.transfer import fetch
from tests.objects.sftp import keys, one, store_of


@pytest.fixture
def bucket(bucket_of):
    return bucket_of("sftp")


def test_a_path_may_begin_where_the_user_is_let_in(bucket):
    bucket.put("in/a.csv", b"a")
    below = "~/" + os.path.relpath(bucket.folder, pwd.getpwuid(os.geteuid()).pw_dir) + "/in/"
    store = store_of(bucket)
    (found,) = store.find(below)
    assert (found.key, store.part(found, 0, 1)) == (f"{below}a.csv", b"a")


def test_links_to_files_are_followed_and_what_is_no_file_is_left_out(bucket):
    bucket.put("elsewhere/a.csv", b"linked")
    folder = bucket.folder / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "file.csv").symlink_to("../elsewhere/a.csv")
    (folder / "folder").symlink_to("../elsewhere")
    (folder / "nowhere.csv").symlink_to("missing")
    (folder / "circle.csv").symlink_to("circle.csv")
    os.mkfifo(folder / "pipe.csv")
    (folder / "\udcff.csv").write_bytes(b"no text")
    store = store_of(bucket)
    found = {each.key.removeprefix(bucket.below): each for each in store.find(bucket.key("in/"))}
    assert set(found) == {"in/file.csv", "in/\udcff.csv"}
    assert (
        store.part(found["in/file.csv"], 0, 6) == b"linked" and store.part(found["in/\udcff.csv"], 0, 7) == b"no text"
    )
    assert keys(bucket, store.find(bucket.key("in/folder/"))) == {"in/folder/a.csv"}  # by its own name


def test_a_folder_that_refuses_keeps_no_other_from_being_listed(bucket):
    for key in ("in/a.csv", "in/closed/b.csv", "in/open/c.csv", "in/open/d.txt"):
        bucket.put(key, b"x")
    (bucket.folder / "in" / "closed").chmod(0)
    store = store_of(bucket)
    told = list(store.walk(bucket.key("in/"), lambda _: True))
    assert keys(bucket, [each for each in told if isinstance(each, Found)]) == {
        "in/a.csv",
        "in/open/c.csv",
        "in/open/d.txt",
    }
    (error,) = [each for each in told if isinstance(each, SourceError)]
    assert error.code == "LL-SOURCE-002" and error.where == f"{bucket.root}/in/closed/"
    # A pattern that can't match there does not look into it.
    address = Address.parse(f"{bucket.root}/in/o*/*.csv")
    assert keys(bucket, store.walk(address.prefix, address.enters)) == {"in/open/c.csv", "in/open/d.txt"}
    seen = []
    with pytest.raises(SourceError) as caught:
        for each in store.find(bucket.key("in/")):
            seen.append(each.key)
    assert caught.value.code == "LL-SOURCE-002" and len(seen) == 3
    with pytest.raises(SourceError) as caught:
        list(store.walk(bucket.key("missing/"), lambda _: True))
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", False)


def test_what_shrinks_grows_or_goes_after_it_was_listed_is_another_one(bucket, tmp_path, monkeypatch):
    import asyncssh

    store, path = store_of(bucket), bucket.folder / "a.csv"
    for content in (b"01234", b"0123456789abc", None):
        path.write_bytes(b"0123456789")
        found = one(bucket, "a.csv")
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(MovedError):
            fetch(store, found, tmp_path / "a")
        assert not (tmp_path / "a").exists()
    path.write_bytes(b"0123456789")
    found = one(bucket, "a.csv")
    path.unlink()
    path.mkdir()
    with pytest.raises(MovedError):
        store.part(found, 0, 10)
    path.rmdir()
    path.write_bytes(b"0123456789")
    found, real = one(bucket, "a.csv"), asyncssh.SFTPClientFile.read_parallel

    async def read(file, *words):
        with path.open("ab") as writer:
            writer.write(b"more")
        return await real(file, *words)

    monkeypatch.setattr(asyncssh.SFTPClientFile, "read_parallel", read)
    with pytest.raises(MovedError):  # while it is read
        store.part(found, 0, 10)


def test_a_version_is_size_and_second(bucket):
    bucket.put("a.csv", b"one")
    path, store = bucket.folder / "a.csv", store_of(bucket)
    os.utime(path, ns=(10**18, 10**18))
    then = one(bucket, "a.csv")
    assert then.version == "3-1000000000" and then.changed.timestamp() == 10**9
    path.write_bytes(b"two")
    os.utime(path, ns=(10**18, 10**18 + 999_999_999))
    assert one(bucket, "a.csv").version == then.version  # as the guide warns
    os.utime(path, ns=(10**18, 10**18 + 10**9))
    assert one(bucket, "a.csv").version != then.version
    with pytest.raises(MovedError):
        store.part(then, 0, 3)


def test_many_names_are_listed_a_page_at_a_time_and_a_listing_may_be_left(bucket, monkeypatch):
    monkeypatch.setattr("lakeloom.objects.sftp._PAGE", 7)
    for number in range(50):
        bucket.put(f"in/{number % 2}/{number}.csv", b"")
    sizes, real = [], Sftp._pages

    def pages(store, folder):
        for page in real(store, folder):
            sizes.append(len(page))
            yield page

    monkeypatch.setattr(Sftp, "_pages", pages)
    store = store_of(bucket)
    assert len({each.key for each in store.find(bucket.key("in/"))}) == 50
    assert max(sizes) == 7 and len(sizes) >= 8
    for _ in range(150):  # more than the server holds open folders for
        left = store.find(bucket.key("in/"))
        next(left)
        left.close()
    assert len(list(store.find(bucket.key("in/")))) == 50


def test_what_is_put_is_whole_and_what_can_not_be_put_leaves_nothing(bucket, monkeypatch):
    import asyncssh

    store = store_of(bucket)
    store.put(bucket.key("out/deep/a"), b"one")
    assert [file.name for file in (bucket.folder / "out/deep").iterdir()] == ["a"]
    with pytest.raises(LakeloomError) as caught:
        store.put(bucket.key("out/deep/a/b"), b"below a file")
    assert caught.value.code == "LL-SOURCE-001"
    with pytest.raises(NotImplementedError):
        store.put(bucket.key("out/deep/a"), b"two", over="3-1")
    (bucket.folder / "closed").mkdir(mode=0o500)
    for work in (lambda: store.put(bucket.key("closed/a"), b"x"), lambda: store.put(bucket.key("closed/b/a"), b"x")):
        with pytest.raises(LakeloomError) as caught:
            work()
        assert caught.value.code == "LL-SOURCE-002"

    async def lacks(*_):
        raise asyncssh.SFTPOpUnsupported("not here")

    monkeypatch.setattr(asyncssh.SFTPClient, "posix_rename", lacks)
    with pytest.raises(LakeloomError) as caught:
        store.put(bucket.key("out/deep/a"), b"two")
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-004", False)
    assert [(file.name, file.read_bytes()) for file in (bucket.folder / "out/deep").iterdir()] == [("a", b"one")]
