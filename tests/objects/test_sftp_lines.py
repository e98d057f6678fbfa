"""Lines to an SFTP server: shared by threads, cut off, silent, slow, ended meanwhile."""

import gc
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.objects.sftp import Sftp
from lakeloom.objects.transfer import fetch
from tests import servers
from tests.objects.sftp import one, refused, store_of


@pytest.fixture
def bucket(bucket_of):
    return bucket_of("sftp")


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
