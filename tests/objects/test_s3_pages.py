"""Pages of a listing read by the C parser say what botocore's own parser says, and a broken one is left to it."""

import pytest

from lakeloom.objects import s3_pages
from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening

KEYS = ["in/a.csv", 'in/ü & <b> "c".csv', "in/+%20.csv", "in/deep/漢.csv", "in/" + "x" * 200, "in/empty"]


@pytest.mark.parametrize("kind", ["s3", "moto"])
def test_both_parsers_say_the_same(bucket_of, kind, monkeypatch):
    bucket = bucket_of(kind)
    for key in KEYS:
        bucket.put(key, b"" if key == "in/empty" else key.encode())
    address = Address.parse(f"{bucket.root}/in/**")
    asked = []
    real = s3_pages.parse
    monkeypatch.setattr(s3_pages, "parse", lambda **words: (asked.append(1), real(**words)))
    quick = list(opening(address, bucket.stores).open().find("in/"))
    assert asked, "botocore has no such event any more"
    monkeypatch.setattr(s3_pages, "parse", lambda **words: None)
    own = list(opening(address, bucket.stores).open().find("in/"))
    assert quick == own
    assert sorted(found.key for found in quick) == sorted(KEYS)


@pytest.mark.parametrize("body", [b"", b"<no", b"<a><Contents><Key>k</Key></Contents></a>",
    b"<a><Contents><Key>k</Key><ETag>e</ETag><Size>many</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></a>"])  # fmt: skip
def test_a_page_that_is_broken_is_left_as_it_is(body):
    answer, taken = {"status_code": 200, "body": body}, {}
    s3_pages.parse(response_dict=answer, customized_response_dict=taken)
    assert (answer["body"], taken) == (body, {})
