"""Answers of a store that break off anywhere are told as such: none passes for an empty listing or an empty object."""

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.objects.address import Address
from lakeloom.objects.base import MovedError
from lakeloom.objects.opened import opening

# Before the first byte, amid the status, amid the headers, between two of them, amid a body of a listing, of an object.
AFTER = [0, 12, 50, 100, 200, 300, 400, 600, 1_000, 2_000, 10_000]
SIZE = 30_000
# Google's and Azure's clients try each of them again for seconds.
SOME = [50, 300]


@pytest.mark.parametrize(
    ("kind", "cuts"),
    [
        ("s3", AFTER),
        ("moto", AFTER),
        ("gs", SOME),
        ("abfss", SOME),
        pytest.param("gs", AFTER, marks=pytest.mark.long),
        pytest.param("abfss", AFTER, marks=pytest.mark.long),
    ],
)
def test_no_answer_that_was_cut_off_is_taken_for_one(bucket_of, ports, spoilt_lines, kind, cuts):
    bucket, line = bucket_of(kind), f"cut-off-{kind}-{len(cuts)}"
    for number in range(5):
        bucket.put(f"in/{number}.csv", bytes(SIZE))
    port = spoilt_lines.lay(line, ports(kind))
    ((root, settings),) = bucket.stores.items()
    store = opening(
        Address.parse(f"{bucket.root}/x"),
        {root: settings | {"endpoint": f"http://127.0.0.1:{port}", "connect_s": 2, "read_s": 3}},
    ).open()
    asked = {
        "find": (lambda: [each.key for each in store.find("in/")], [f"in/{number}.csv" for number in range(5)]),
        "level": (lambda: [getattr(each, "key", each) for each in store.level("")], ["in/"]),
        "head": (lambda: store.head("in/1.csv").size, SIZE),
        "get": (lambda: len(store.get("in/1.csv")), SIZE),
        "check": (lambda: store.check(found) is not None, True),
        "part": (lambda: len(store.part(found, 0, SIZE)), SIZE),
    }
    found = next(iter(store.find("in/")))
    assert {name: ask() for name, (ask, _) in asked.items()} == {name: right for name, (_, right) in asked.items()}
    broken = 0
    for after in cuts:
        for name, (ask, right) in asked.items():
            spoilt_lines.spoil(line, "limit_data", bytes=after)
            try:
                told = ask()
            except SourceError as error:
                broken += 1
                assert (error.code, error.transient) == ("LL-SOURCE-001", True), (name, after, error)
            except MovedError:
                raise AssertionError(f"{name} after {after} bytes says that the object is another one") from None
            else:
                # A part that is too short is found so by whoever asked for it, by its length.
                assert told == right or (name == "part" and told < SIZE), (name, after, told)
            finally:
                spoilt_lines.mend(line)
    assert broken > len(cuts)
