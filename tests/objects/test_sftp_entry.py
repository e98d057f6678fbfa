"""Who is trusted and let in by SFTP: hosts' keys, users' keys and passwords, servers of another make."""

import asyncio
import os
import shutil
import subprocess
import threading

import pytest

from lakeloom.core.errors import ConfigError, SourceError
from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from lakeloom.objects.sftp_lines import Host
from tests.objects.sftp import keys, refused, store_of


@pytest.fixture
def bucket(bucket_of):
    return bucket_of("sftp")


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
