"""What is SFTP's own: who is trusted and let in, folders and links, what its versions tell, and lines that break."""

import asyncio
import gc
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakeloom.core.errors import ConfigError, LakeloomError, SourceError
from lakeloom.objects.address import Address
from lakeloom.objects.base import Found, MovedError
from lakeloom.objects.opened import opening
from lakeloom.objects.sftp import Sftp
from lakeloom.objects.sftp_lines import Host
from lakeloom.objects.transfer import fetch
from tests import servers


@pytest.fixture
def bucket(bucket_of):
    return bucket_of("sftp")


def store_of(bucket, **more):
    stores = {
        root: {key: each for key, each in (said | more).items() if each is not None}
        for root, said in bucket.stores.items()
    }
    return opening(Address.parse(f"{bucket.root}/*"), stores).open()


def one(bucket, key, store=None):
    (found,) = (store or store_of(bucket)).find(bucket.key(key))
    return found


def refused(bucket, **more):
    with pytest.raises(SourceError) as caught:
        list(store_of(bucket, **more).find(bucket.below))
    return caught.value


def keys(bucket, found):
    return {each.key.removeprefix(bucket.below) for each in found}


def test_a_host_whose_key_is_unknown_or_another_one_is_never_trusted(bucket, tmp_path, monkeypatch):
    bucket.put("a.csv", b"a")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "empty").touch()
    (tmp_path / "damaged").write_text("127.0.0.1\n")
    for known in (
        None,
        str(bucket.home / "wrong"),
        *(str(tmp_path / name) for name in ("empty", "damaged", "missing")),
    ):
        error = refused(bucket, known_hosts=known)
        assert (error.code, error.transient) == ("LL-SOURCE-012", False), known
    (tmp_path / ".ssh").mkdir()
    shutil.copy(bucket.home / "known", tmp_path / ".ssh" / "known_hosts")
    assert keys(bucket, store_of(bucket, known_hosts=None).find(bucket.below)) == {"a.csv"}  # the user's own
    assert refused(bucket, known_hosts=str(tmp_path / "empty")).code == "LL-SOURCE-012"  # what is named, alone
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", tmp_path / "ecdsa"], check=True)
    (tmp_path / "kind").write_text("127.0.0.1 " + (tmp_path / "ecdsa.pub").read_text())
    assert refused(bucket, known_hosts=str(tmp_path / "kind")).code == "LL-SOURCE-012"  # of a kind that it has not
    other = (bucket.home / "other.pub").read_text().split()
    (tmp_path / "revoked").write_text((bucket.home / "known").read_text() + f"127.0.0.1 {other[0]} {other[1]}\n"
                                      + "@revoked " + (bucket.home / "known").read_text())  # fmt: skip
    assert refused(bucket, known_hosts=str(tmp_path / "revoked")).code == "LL-SOURCE-012"


def test_who_may_not_come_in_is_told_without_the_secret(bucket, tmp_path, monkeypatch):
    bucket.put("a.csv", b"a")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    locked = str(bucket.home / "locked")
    for more in (
        {"key": str(bucket.home / "other")}, {"key": None, "password": "not-the-secret-4711"}, {"key": None},
        {"key": locked}, {"key": locked, "passphrase": "another-4711"}, {"key": str(tmp_path / "missing-4711")},
        {"key": str(bucket.home / "known")},
    ):  # fmt: skip
        error = refused(bucket, **more)
        assert (error.code, error.transient) == ("LL-SOURCE-002", False), more
        assert "4711" not in str(error) and str(bucket.home / "other") not in str(error)
    for more in ({"key": locked, "passphrase": "open sesame"}, {"password": "and-a-password-4711"}):
        assert keys(bucket, store_of(bucket, **more).find(bucket.below)) == {"a.csv"}
    (tmp_path / ".ssh").mkdir()
    shutil.copy(bucket.home / "mine", tmp_path / ".ssh" / "id_ed25519")
    assert keys(bucket, store_of(bucket, key=None).find(bucket.below)) == {"a.csv"}  # the user's own


@pytest.fixture
def other_make(request, bucket):
    """Give the port of a server of another make, in this process, that lets in by a password."""
    import asyncssh

    class Door(asyncssh.SSHServer):
        def password_auth_supported(self):
            return True

        def validate_password(self, username, password):
            return (username, password) == ("ada@corp", "right-4711")

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel):
            super().__init__(channel, chroot=os.fsencode(bucket.folder))

    async def opened():
        keys, more = [str(bucket.home / "host")], getattr(request, "param", {})
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Door, sftp_factory=Files, server_host_keys=keys, **more
        )

    door = run(opened())
    yield door.get_port()

    async def closed():  # by the loop's own thread: from another one it meets connections that are just ending
        door.close()
        await door.wait_closed()

    run(closed())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


def test_a_password_opens_a_server_of_another_make(bucket, other_make):
    bucket.put("in/a.csv", b"0123456789")
    root = f"sftp://ada%40corp@127.0.0.1:{other_make}"
    stores = {root: {"password": "right-4711", "known_hosts": str(bucket.home / "known")}}
    store = opening(Address.parse(f"{root}/in/*"), stores).open()
    (found,) = store.find("in/")
    assert (found.key, store.part(found, 2, 5)) == ("in/a.csv", b"234")
    assert store.put("out/b.csv", b"b") and (bucket.folder / "out/b.csv").read_bytes() == b"b"
    stores[root]["password"] = "wrong-4711"
    with pytest.raises(SourceError) as caught:
        list(opening(Address.parse(f"{root}/in/*"), stores).open().find("in/"))
    assert caught.value.code == "LL-SOURCE-002" and "4711" not in str(caught.value)


@pytest.mark.parametrize("other_make", [{"kex_algs": ["diffie-hellman-group1-sha1"]}], indirect=True)
def test_a_server_that_knows_only_what_is_broken_is_refused(bucket, other_make):
    bucket.root, bucket.stores = bucket.at(other_make)
    error = refused(bucket)
    assert (error.code, error.transient) == ("LL-SOURCE-004", False)


def test_a_user_without_a_name_is_told_what_to_set(bucket, monkeypatch):
    def nameless():
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    error = refused(bucket)
    assert error.code == "LL-SOURCE-004" and "USER" in error.fix


def test_addresses_of_hosts():
    assert Host.parse("files.example") == Host("files.example", 22, None)
    assert Host.parse("ada@files.example:2222") == Host("files.example", 2222, "ada")
    assert Host.parse("ada%40corp@[::1]:2222") == Host("::1", 2222, "ada@corp")
    for wrong in ("ada@", "ada@h:0", "ada@h:99999", "ada@h:x", "ada@::1"):
        with pytest.raises(ConfigError) as caught:
            Host.parse(wrong)
        assert caught.value.code == "LL-CONF-004"
    with pytest.raises(ConfigError) as caught:
        Address.parse("sftp://ada:marked-4711@h/in/*.csv")
    assert caught.value.code == "LL-CONF-024" and "4711" not in str(caught.value)
    for wrong in ({"endpoint": "http://h"}, {"ca": "x.pem"}, {"connections": 0}):
        with pytest.raises(ConfigError) as caught:
            opening(Address.parse("sftp://h/a"), {"sftp://h": wrong})
        assert caught.value.code == "LL-CONF-004"


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


def test_many_threads_share_few_connections_which_end_with_the_store(bucket):
    for number in range(30):
        bucket.put(f"in/{number}", bytes([number]) * 300_000)
    store = store_of(bucket)
    found, log = list(store.find(bucket.key("in/"))), bucket.home / "log"
    before = log.read_text().count("Accepted publickey")

    with ThreadPoolExecutor(16) as pool:
        parts = list(pool.map(store.part, found * 4, [100_000] * 120, [200_000] * 120))
    assert [
        part == bytes([int(each.key.rpartition("/")[2])]) * 100_000 for part, each in zip(parts, found * 4, strict=True)
    ] == [True] * 120
    assert log.read_text().count("Accepted publickey") - before == 1  # beside the one that has listed
    standing = [slot.line.connection for slot in store._lines._slots]
    assert len(standing) == 2 and not any(line.is_closed() for line in standing)
    del store, pool
    gc.collect()
    until(lambda: all(line.is_closed() for line in standing))


def until(holds, limit_s=20):
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


class Spoilt(servers.SftpBucket):
    """A bucket that is reached over a line."""

    def __init__(self, bucket, lines):
        self.name, self.below = bucket.folder.name, bucket.below
        self.root, self.stores = bucket.at(lines.lay(self.name, bucket.port))


def test_a_fetch_that_is_cut_off_goes_on_where_it_was(bucket, spoilt_lines, tmp_path):
    content, spoilt = os.urandom(6 << 20), Spoilt(bucket, spoilt_lines)
    bucket.put("large", content)
    asked, cut_at = [], None

    class Watched(Sftp):
        def part(self, found, start, end):
            asked.append(start >> 20)
            if start >> 20 == cut_at and asked.count(cut_at) == 1:
                spoilt_lines.spoil(spoilt.name, "limit_data", bytes=1000)
            return super().part(found, start, end)

    def fetched(name):
        asked.clear()
        ((root, said),) = spoilt.stores.items()
        store = Watched(root.removeprefix("sftp://"), Sftp.Config(**said))
        found = one(spoilt, "large", store)
        fetch(store, found, tmp_path / name, part_bytes=1 << 20, threads=1, sleep=lambda _: None)
        assert (tmp_path / name).read_bytes() == content

    # Each connection ends behind so many bytes: the part that was under way is asked for again over another one.
    spoilt_lines.spoil(spoilt.name, "limit_data", bytes=2_500_000)
    fetched("a")
    assert asked == [0, 1, 2, 2, 3, 4, 4, 5]
    spoilt_lines.mend(spoilt.name)
    cut_at = 2
    with pytest.raises(SourceError) as caught:
        fetched("b")
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)
    assert asked == [0, 1, 2, 2, 2, 2, 2]
    spoilt_lines.mend(spoilt.name)
    cut_at = None
    fetched("b")  # as the next run does
    assert asked == [2, 3, 4, 5]


def test_a_line_that_is_silent_or_dead_is_given_up_in_time(bucket, spoilt_lines):
    bucket.put("a.csv", b"0123456789")
    spoilt = Spoilt(bucket, spoilt_lines)
    store = store_of(spoilt, read_s=0.5, connect_s=2)
    found = one(spoilt, "a.csv", store)
    spoilt_lines.spoil(spoilt.name, "timeout", timeout=0)
    for work in (
        lambda: store.part(found, 0, 10),
        lambda: list(store.find(spoilt.below)),
        lambda: store.put(f"{spoilt.below}b", b"b"),
    ):
        begun = time.monotonic()
        with pytest.raises(SourceError) as caught:
            work()
        assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)
        assert time.monotonic() - begun < 15
    spoilt_lines.mend(spoilt.name)
    assert store.part(found, 0, 10) == b"0123456789"
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        spoilt.root, spoilt.stores = bucket.at(mute.getsockname()[1])
        assert refused(spoilt, connect_s=0.5).transient
    spoilt.root, spoilt.stores = bucket.at(servers.free_port())
    assert refused(spoilt).transient


def test_a_slow_line_is_no_silent_one(bucket, spoilt_lines, tmp_path):
    content = os.urandom(1_200_000)
    bucket.put("a", content)
    (tmp_path / "b").write_bytes(content)
    spoilt = Spoilt(bucket, spoilt_lines)
    store = store_of(spoilt, read_s=1.5, connections=1)
    found, begun = one(spoilt, "a", store), time.monotonic()
    spoilt_lines.spoil(spoilt.name, "bandwidth", rate=400)
    # By turns each waits for longer than that.
    with ThreadPoolExecutor(4) as pool:
        assert (
            b"".join(
                pool.map(store.part, [found] * 4, range(0, 1_200_000, 300_000), range(300_000, 1_500_000, 300_000))
            )
            == content
        )
    spoilt_lines.mend(spoilt.name)
    upwards = {"name": "up", "type": "bandwidth", "stream": "upstream", "attributes": {"rate": 400}}
    spoilt_lines._ask(f"/{spoilt.name}/toxics", upwards)
    store.upload(bucket.key("b"), tmp_path / "b")
    assert (bucket.folder / "b").read_bytes() == content and time.monotonic() - begun > 3


def test_a_connection_that_was_ended_meanwhile_is_opened_anew(bucket):
    bucket.put("a.csv", b"a")
    store = store_of(bucket)
    assert len(list(store.find(bucket.below))) == 1
    store._lines._slots[0].line.connection.abort()
    assert len(list(store.find(bucket.below))) == 1


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
