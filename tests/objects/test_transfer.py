"""Fetching: in parts, gone on with, compared, within a bandwidth, and again where the line fails."""

import functools
import hashlib
import http.server
import os
import threading
from datetime import UTC, datetime

import pytest

from lakeloom.core.errors import LakeloomError, SourceError
from lakeloom.objects.address import Address
from lakeloom.objects.base import Check, Found, MovedError
from lakeloom.objects.opened import opening
from lakeloom.objects.transfer import Rate, fetch

CONTENT = os.urandom(10_500)
FOUND = Found("in/a.bin", len(CONTENT), "v1", datetime(2026, 1, 5, tzinfo=UTC))
PART = 1000


class Line:
    """A store whose line does what a test says: `faults` are raised or given one by one, before the right bytes."""

    def __init__(self, *faults, check=None, content=CONTENT):
        self.faults, self.asked, self.content, self.denied = list(faults), [], content, False
        self.sum = check or Check("md5", hashlib.md5(CONTENT).hexdigest())

    def check(self, found):
        return self.sum

    def denies(self, found):
        return self.denied

    def part(self, found, start, end):
        self.asked.append(start // PART)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        return fault if fault is not None else self.content[start:end]


def brought(store, target, **more):
    return fetch(store, FOUND, target, part_bytes=PART, threads=more.pop("threads", 1), sleep=lambda _: None, **more)


def broken_line():
    return SourceError("LL-SOURCE-001", "reset", transient=True)


@pytest.mark.parametrize("threads", [1, 4])
def test_an_object_comes_in_parts(tmp_path, threads):
    store = Line()
    assert brought(store, tmp_path / "a", threads=threads).verified == "md5"
    assert (tmp_path / "a").read_bytes() == CONTENT and sorted(store.asked) == list(range(11))


def test_a_line_that_breaks_or_cuts_off_is_asked_again_for_that_part_alone(tmp_path):
    store = Line(b"cut", broken_line(), broken_line())
    brought(store, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT and store.asked == [0, 0, 0, 0, *range(1, 11)]
    with pytest.raises(LakeloomError) as caught:
        brought(Line(*[broken_line() for _ in range(9)]), tmp_path / "b")
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)
    refused = Line(SourceError("LL-SOURCE-002", "no"))
    with pytest.raises(LakeloomError, match="LL-SOURCE-002"):
        brought(refused, tmp_path / "c")
    assert refused.asked == [0]  # what is no fault of the line is not asked again


class Killed(BaseException):
    """As of SIGKILL: nothing is tidied."""


@pytest.mark.parametrize("parts", [0, 1, 7, 10])
def test_killed_it_goes_on_with_the_parts_that_are_missing(tmp_path, parts):
    store = Line()
    real = store.part

    def part(found, start, end):
        if len(store.asked) == parts:
            raise Killed
        return real(found, start, end)

    store.part = part
    with pytest.raises(Killed):
        brought(store, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    if parts:  # as a line that was being written
        (tmp_path / "a.parts").open("a").write("1")
    again = Line()
    brought(again, tmp_path / "a")
    assert again.asked == list(range(parts, 11)) and (tmp_path / "a").read_bytes() == CONTENT
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a"]
    brought(again, tmp_path / "a")
    assert len(again.asked) == 11 - parts  # it is there


def test_parts_of_another_version_are_thrown_away(tmp_path):
    old = Line(None, None, MovedError("in/a.bin"))
    with pytest.raises(MovedError):
        fetch(old, Found("in/a.bin", len(CONTENT), "v0", FOUND.changed), tmp_path / "a", part_bytes=PART, threads=1)
    again = Line()
    brought(again, tmp_path / "a")
    assert again.asked == list(range(11)) and (tmp_path / "a").read_bytes() == CONTENT


def test_other_bytes_than_the_checksum_speaks_of_are_fetched_once_more_and_then_refused(tmp_path):
    store = Line(b"x" * PART)
    brought(store, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT and len(store.asked) == 22
    with pytest.raises(LakeloomError) as caught:
        brought(Line(content=bytes(len(CONTENT))), tmp_path / "b")
    assert caught.value.code == "LL-SOURCE-006"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a"]


def test_a_checksum_that_the_store_denies_is_none_and_the_size_holds(tmp_path):
    """As of S3's ETag where a key of the store's encrypts: it is asked about only where the two do not agree."""
    store = Line(check=Check("md5", "0" * 32))
    store.denied = True
    assert brought(store, tmp_path / "a").verified == "size"
    assert (tmp_path / "a").read_bytes() == CONTENT and len(store.asked) == 11


@pytest.mark.parametrize(
    ("check", "word"),
    [
        (Check("crc32c", "c9a5ba52"), "crc32c"),
        (Check("md5", "x"), "md5"),
        (Check("md5_of_parts", "x", 4000), "md5_of_parts"),
    ],
)
def test_each_kind_of_checksum_finds_a_flipped_bit(tmp_path, check, word):
    import google_crc32c

    sums = {
        "md5": hashlib.md5(CONTENT).hexdigest(),
        "crc32c": google_crc32c.Checksum(CONTENT).digest().hex(),
        "md5_of_parts": hashlib.md5(
            b"".join(hashlib.md5(CONTENT[at : at + 4000]).digest() for at in range(0, len(CONTENT), 4000))
        ).hexdigest(),
    }
    right = Check(check.kind, sums[check.kind], check.part_bytes)
    assert brought(Line(check=right), tmp_path / "a").verified == word
    flipped = CONTENT[:5000] + bytes([CONTENT[5000] ^ 1]) + CONTENT[5001:]
    with pytest.raises(LakeloomError, match="LL-SOURCE-006"):
        brought(Line(check=right, content=flipped), tmp_path / "b")


def test_a_bandwidth_is_kept_over_all_threads():
    now, slept = [0.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    rate = Rate(1000, now=lambda: now[0], sleep=sleep)
    for _ in range(11):
        rate.take(500)
    assert now[0] == pytest.approx(5.0)
    Rate(None, sleep=sleep).take(1 << 40)
    assert sum(slept) == pytest.approx(5.0)


class Ranged(http.server.BaseHTTPRequestHandler):
    """A web server of one file that knows ranges, and who may read it."""

    content, tag, seen = CONTENT, '"1"', []

    def log_message(self, *_):
        return

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, *, body):
        cls = type(self)
        cls.seen.append((self.command, self.headers.get("Range")))
        if self.headers.get("Authorization") != "Bearer marked-token-4711":
            self.send_error(401)
            return
        if self.path != "/in/a%20b.csv?v=1":
            self.send_error(404)
            return
        first, last = 0, len(cls.content) - 1
        if self.headers.get("Range"):
            first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        piece = cls.content[first : last + 1]
        self.send_header("ETag", cls.tag)
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        if body:
            self.wfile.write(piece)


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRET_WEB_TOKEN", "Bearer marked-token-4711")
    handler = type("Handler", (Ranged,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_one_file_of_a_web_server(web, tmp_path):
    handler, root = web
    stores = {root: {"headers": {"Authorization": "${secret:web/token}"}}}
    address = Address.parse(f"{root}/in/a b.csv?v=1")
    store = opening(address, stores).open()
    (found,) = store.find("in/a b.csv?v=1")
    assert fetch(store, found, tmp_path / "a", part_bytes=4000).verified == "size"
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert {each for each in handler.seen if each[0] == "GET"} == {
        ("GET", f"bytes={start}-{min(start + 4000, len(CONTENT)) - 1}") for start in (0, 4000, 8000)
    }
    assert list(store.find("in/none.csv")) == []
    handler.tag = '"2"'
    with pytest.raises(MovedError):
        store.part(found, 0, 5)
    with pytest.raises(LakeloomError) as caught:
        list(opening(address, {}).open().find("in/a b.csv?v=1"))
    assert caught.value.code == "LL-SOURCE-002" and "v=1" not in str(caught.value)


def test_files_of_a_mounted_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_bytes(CONTENT)
    (tmp_path / "in" / "loose").symlink_to(tmp_path / "nowhere")
    address = Address.parse(f"file://{tmp_path}/in/*")
    store = opening(address, {}).open()
    (found,) = store.find(address.prefix)
    assert address.matches(found.key) and address.of(found.key) == f"file://{tmp_path}/in/a.csv"
    assert fetch(store, found, tmp_path / "out").verified == "size"
    assert (tmp_path / "out").read_bytes() == CONTENT
    (tmp_path / "in" / "a.csv").write_bytes(CONTENT + b"1")
    with pytest.raises(MovedError):
        store.part(found, 0, 5)
    with pytest.raises(LakeloomError, match="LL-SOURCE-001"):
        list(store.find(f"{tmp_path}/none/x".lstrip("/")))
