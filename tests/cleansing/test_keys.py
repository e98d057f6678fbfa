"""Surrogate keys: equal exactly where the natural keys are, and the same in every session."""

import hashlib
import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lakeloom.core.errors import CleansingError

PARTS = [None, "", "a", "b", "ab", "a:", "1:a", "-", "--", ":", "1:", "é", "😀", "a\x00b", " "]


def model(*texts):
    joined = "".join("-" if text is None else f"{len(text)}:{text}" for text in texts)
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def test_keys_are_equal_exactly_where_their_parts_are(cleansed):
    chance = random.Random(5)
    pairs = [(a, b) for a in PARTS for b in PARTS] + [
        tuple("".join(chance.choices("1a:-", k=chance.randrange(4))) for _ in range(2)) for _ in range(300)
    ]
    out = cleansed(
        [(number, a, b) for number, (a, b) in enumerate(pairs)],
        "id int, `a b` string, b string",
        [{"key": {"columns": ["a b", "b"], "into": "k"}}],
    )
    assert out.values("k") == [model(*pair) for pair in pairs]
    assert len(set(out.values("k"))) == len(set(pairs)) < len(pairs)
    assert out.changed == {"1_key": len(pairs)}


def test_keys_of_every_type_are_the_same_in_every_session(spark, cleansed):
    schema = "id int, n bigint, x double, c decimal(6,2), b boolean, d date, t timestamp, y binary"
    rows = [
        (1, 7, 0.0, Decimal("1.50"), True, date(2026, 1, 5), datetime(2026, 1, 5, 10, tzinfo=UTC), b"\x00\xff"),
        (2, *[None] * 7),
        (3, 7, -0.0, *[None] * 5),
    ]
    verb = {"key": {"columns": ["n", "x", "c", "b", "d", "t", "y"], "into": "k"}}
    found = []
    before = spark.conf.get("spark.sql.session.timeZone")
    for zone in ("UTC", "Asia/Tokyo"):
        spark.conf.set("spark.sql.session.timeZone", zone)
        try:
            found.append(cleansed(rows, schema, [verb]).values("k"))
        finally:
            spark.conf.set("spark.sql.session.timeZone", before)
    micros = int(datetime(2026, 1, 5, 10, tzinfo=UTC).timestamp()) * 1_000_000
    assert (
        found[0]
        == found[1]
        == [
            model("7", "0.0", "1.50", "true", "2026-01-05", str(micros), "00FF"),
            model(*[None] * 7),
            model("7", "0.0", *[None] * 5),
        ]
    )
    with pytest.raises(CleansingError, match="no part of a key"):
        cleansed([], "a array<int>", [{"key": {"columns": "a", "into": "k"}}])
