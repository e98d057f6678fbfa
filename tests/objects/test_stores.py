"""Each kind of store against a real server: listings, parts at a version, checksums, and what it refuses."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakeloom.core.errors import LakeloomError
from lakeloom.objects.address import Address
from lakeloom.objects.base import MovedError, TakenError
from lakeloom.objects.opened import opening
from lakeloom.objects.transfer import fetch

# Every sign that a key may hold and that some layer could take for its own.
ODD = "in/ü ñ 漢/a+b&c=d%41#e;f,g:h@i!$'()~[1]{2}^`|.csv"


def store_of(bucket, pattern="*"):
    return opening(Address.parse(f"{bucket.root}/{pattern}"), bucket.stores).open()


def one(bucket, key):
    key = bucket.key(key)
    (found,) = [each for each in store_of(bucket).find(key) if each.key == key]
    return found


def test_a_listing_has_what_lies_under_a_prefix_whatever_its_name(bucket):
    for key in ("in/a.csv", "in/b/c.csv", "other/d.csv", ODD):
        bucket.put(key, key.encode())
    found = {each.key.removeprefix(bucket.below): each for each in store_of(bucket).find(bucket.key("in/"))}
    assert set(found) == {"in/a.csv", "in/b/c.csv", ODD}
    for key, each in found.items():
        assert each.size == len(key.encode())
        assert abs(each.changed - datetime.now(UTC)) < timedelta(hours=1)
        assert store_of(bucket).part(each, 0, each.size) == key.encode()
    assert list(store_of(bucket).find(bucket.key("nothing/"))) == []


def test_pages_are_followed_to_the_end(bucket_of):
    bucket = bucket_of("s3")
    for number in range(1005):
        bucket.put(f"many/{number:04d}", b"")
    assert len({each.key for each in store_of(bucket).find("many/")}) == 1005


def test_parts_are_those_of_the_version_that_was_listed(bucket):
    bucket.put("in/a.csv", b"0123456789")
    then, store = one(bucket, "in/a.csv"), store_of(bucket)
    assert store.part(then, 2, 5) == b"234"
    bucket.put("in/a.csv", b"abcdefghij")
    now = one(bucket, "in/a.csv")
    assert now.version != then.version
    with pytest.raises(MovedError):
        store.part(then, 2, 5)
    assert store.part(now, 2, 5) == b"cde"
    bucket.delete("in/a.csv")
    with pytest.raises(MovedError):
        store.part(now, 0, 1)
    with pytest.raises(MovedError):
        fetch(store, now, Path(os.devnull).parent / "none" / "x")


def test_what_was_fetched_is_compared_with_the_stores_checksum(bucket, tmp_path):
    content = os.urandom(3 << 20)
    bucket.put("in/large.bin", content)
    found = one(bucket, "in/large.bin")
    told = fetch(store_of(bucket), found, tmp_path / "large", part_bytes=1 << 20)
    assert (tmp_path / "large").read_bytes() == content
    assert (told.size, told.verified) == (len(content), bucket.verified)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["large"]


def test_the_checksum_of_a_multi_part_upload_is_that_of_its_parts(bucket_of, tmp_path):
    bucket, parts = bucket_of("s3"), (os.urandom(5 << 20), os.urandom(5 << 20), os.urandom(1 << 20))
    bucket.put_parts("parts.bin", *parts)
    told = fetch(store_of(bucket), one(bucket, "parts.bin"), tmp_path / "parts")
    assert (tmp_path / "parts").read_bytes() == b"".join(parts)
    assert told.verified == "md5_of_parts"


def test_an_empty_object_is_an_empty_file(bucket, tmp_path):
    bucket.put("empty", b"")
    assert fetch(store_of(bucket), one(bucket, "empty"), tmp_path / "empty").size == 0
    assert (tmp_path / "empty").read_bytes() == b""


def test_a_bucket_that_is_not_there_and_keys_that_are_wrong_are_told_without_the_keys(bucket_of):
    bucket = bucket_of("s3")
    with pytest.raises(LakeloomError) as caught:
        list(opening(Address.parse("s3://nowhere/*"), {"s3://nowhere": bucket.stores[bucket.root]}).open().find(""))
    assert (caught.value.code, caught.value.message) == ("LL-SOURCE-001", "there is no s3://nowhere")
    wrong = {bucket.root: bucket.stores[bucket.root] | {"secret_key": "not-the-secret-4711"}}
    with pytest.raises(LakeloomError) as caught:
        list(opening(Address.parse(f"{bucket.root}/*"), wrong).open().find(""))
    assert caught.value.code == "LL-SOURCE-002" and "4711" not in str(caught.value)


@pytest.mark.parametrize("kind", ["s3", "gs", "abfss"])
def test_a_store_that_is_down_is_a_fault_that_may_pass(bucket_of, kind):
    bucket = bucket_of(kind)
    down = {bucket.root: bucket.stores[bucket.root] | {"endpoint": "http://127.0.0.1:9", "connect_s": 1, "read_s": 1}}
    with pytest.raises(LakeloomError) as caught:
        list(opening(Address.parse(f"{bucket.root}/*"), down).open().find(""))
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)


def test_what_is_put_is_there_whole_and_taken_away_again(bucket, tmp_path):
    store = opening(Address.parse(f"{bucket.root}/*"), bucket.stores).writing()
    assert store.put(bucket.key(ODD), b"first") == one(bucket, ODD).version
    version = store.put(bucket.key(ODD), b"second")
    assert store.part(one(bucket, ODD), 0, 6) == b"second" and one(bucket, ODD).version == version
    store.delete(bucket.key(ODD))
    store.delete(bucket.key(ODD))
    assert list(store.find(bucket.key("in/"))) == []


def test_of_many_that_create_one_key_at_the_same_time_one_succeeds(bucket):
    store = opening(Address.parse(f"{bucket.root}/*"), bucket.stores).writing()

    def create(number):
        try:
            store.put(bucket.key("once"), f"{number}".encode(), new=True)
        except TakenError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        made = [number for number in pool.map(create, range(24)) if number is not None]
    assert len(made) == 1
    found = one(bucket, "once")
    assert store.part(found, 0, found.size) == f"{made[0]}".encode()


def test_a_large_file_goes_up_in_parts_and_comes_back_as_it_was(bucket, tmp_path):
    (tmp_path / "large").write_bytes(os.urandom(20 << 20))
    store = opening(Address.parse(f"{bucket.root}/*"), bucket.stores).writing()
    version = store.upload(bucket.key("out/large"), tmp_path / "large")
    found = one(bucket, "out/large")
    assert found.version == version
    fetch(store, found, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()


def test_a_bucket_that_is_not_there_and_keys_that_are_wrong_take_nothing(bucket_of):
    bucket = bucket_of("s3")
    nowhere = {"s3://nowhere": bucket.stores[bucket.root]}
    wrong = {bucket.root: bucket.stores[bucket.root] | {"secret_key": "not-the-secret-4711"}}
    for root, stores, code in (("s3://nowhere", nowhere, "LL-SOURCE-001"), (bucket.root, wrong, "LL-SOURCE-002")):
        with pytest.raises(LakeloomError) as caught:
            opening(Address.parse(f"{root}/*"), stores).writing().put("a", b"")
        assert caught.value.code == code and "4711" not in str(caught.value)


def test_a_web_server_takes_nothing():
    with pytest.raises(LakeloomError) as caught:
        opening(Address.parse("https://somewhere.example/a"), {}).writing()
    assert caught.value.code == "LL-CONF-004"


def test_a_mounted_folder_is_written_whole_and_once(tmp_path):
    store = opening(Address.parse(f"file://{tmp_path}/*"), {}).writing()
    key = f"{tmp_path}/out/a".removeprefix("/")
    store.put(key, b"one", new=True)
    with pytest.raises(TakenError):
        store.put(key, b"two", new=True)
    assert (tmp_path / "out/a").read_bytes() == b"one"
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["a"]
    with pytest.raises(LakeloomError) as caught:
        store.put(f"{key}/b", b"below a file")
    assert caught.value.code == "LL-SOURCE-001"
    store.delete(key)
    assert list((tmp_path / "out").iterdir()) == []
