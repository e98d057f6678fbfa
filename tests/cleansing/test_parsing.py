"""Numbers, truth values, dates and times from texts: what is read, and what is refused, against plain Python."""

import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from pyspark.errors import PySparkException

from lakeloom.flow.explain import explained

NUMBERS = [
    None, "", " ", "0", "-0", "7", " 7 ", "\u00a07", "+7", "007", "7.0", "7.10", ".5", "7.", "1e3", "1E-2", "-1.5e+1", "12d", "1f", "0x10",
    "1_000", "1,000", "1.000", "1.000,5", "1,000.5", "12,34,567", "1,23", "NaN", "nan", "Infinity", "-inf", "1e400", "1e-400", "9" * 40, "127",
    "128", "-129", "32768", "2147483648", "9223372036854775807", "9223372036854775808", "x", "٣", "1 2", "--1", "1e", "0.125", "1.239", "1.2300",
    "99999.99", "999999.9", "100e-2", "1e5", "1200e-3", "0.000", "0e9",
]  # fmt: skip


def plain(text, decimal, group):
    """Return the number as Python writes it, None where the text has not its shape."""
    text = text.strip(" \u00a0")
    whole = rf"(?:\d+|\d{{1,3}}(?:{re.escape(group)}\d{{3}})+)" if group else r"\d+"
    if not re.fullmatch(
        rf"[+-]?(?:{whole}(?:{re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+)(?:[eE][+-]?\d{{1,4}})?", text, re.ASCII
    ):
        return None
    return (text.replace(group, "") if group else text).replace(decimal, ".")


def whole(bits):
    def read(text):
        if text is None or not re.fullmatch(r"[+-]?\d+", text) or not -(2**bits) <= int(text) < 2**bits:
            return None
        return int(text)

    return read


def double(text):
    if text is None or abs(float(text)) == float("inf"):
        return None
    return float(text)


def small(text):
    """decimal(7,2)."""
    if text is None:
        return None
    number = Decimal(text)
    cents = number.scaleb(2)
    return number if cents == cents.to_integral_value() and abs(number) < 10**5 else None


KINDS = {
    "tinyint": (whole(7), {}),
    "smallint": (whole(15), {}),
    "int": (whole(31), {}),
    "bigint": (whole(63), {}),
    "double": (double, {}),
    "decimal(7,2)": (small, {}),
    "long ": (whole(63), {"group": ","}),
    "Double": (double, {"decimal": ",", "group": "."}),
    "DECIMAL(7, 2)": (small, {"decimal": ",", "group": "."}),
}


def test_numbers_are_read_whole_or_not_at_all(cleansed):
    chance = random.Random(3)
    data = NUMBERS + ["".join(chance.choices("0123456789.,eE+- ", k=chance.randrange(1, 7))) for _ in range(400)]
    verbs = [
        {"parse": {"column": f"c{index}", "type": kind, **options}}
        for index, (kind, (_, options)) in enumerate(KINDS.items())
    ]
    schema = "id int, " + ", ".join(f"c{index} string" for index in range(len(KINDS)))
    out = cleansed([(number, *[text] * len(KINDS)) for number, text in enumerate(data)], schema, verbs)
    for index, (kind, (model, options)) in enumerate(KINDS.items()):
        wanted, named = [], {"nan", "infinity", "-inf"}
        for text in data:
            special = text is not None and text.strip().lower() in named and "ouble" in kind
            shape = text is not None and plain(text, options.get("decimal", "."), options.get("group"))
            wanted.append(float(text) if special else model(shape) if shape else None)
        got = out.values(f"c{index}")
        differ = [
            (text, want, have)
            for text, want, have in zip(data, wanted, got, strict=True)
            if not (want == have or (want != want and have != have))
        ]
        assert differ == [], kind
        faulty = {
            number
            for number, (text, want) in enumerate(zip(data, wanted, strict=True))
            if text is not None and want is None
        }
        assert {number for number, reasons in out.faults.items() if f"parse:c{index}" in reasons} == faulty, kind
        assert out.changed[f"{index + 1}_parse"] == sum(value is not None for value in wanted)
    assert out.unread[data.index("x")] == [(f"c{index}", "x") for index in range(len(KINDS))]


def test_truth_values_and_what_is_done_with_the_rest(cleansed):
    data = list(enumerate(["true", "No", " y ", "1", "ja", "JA", "nee", "", None]))
    spark_words, own = (
        {"column": "a", "type": "boolean", "otherwise": "null"},
        {"column": "b", "type": "bool", "into": "c", "words": {"ja": True, "Nee": False}},
    )
    out = cleansed(
        [(number, text, text) for number, text in data],
        "id int, a string, b string",
        [{"parse": spark_words}, {"parse": own}],
    )
    assert out.values("a") == [True, False, True, True, None, None, None, None, None]
    assert out.values("c") == [None, None, None, None, True, True, False, None, None]
    assert out.values("b") == [text for _, text in data]
    assert set(out.faults) == {0, 1, 2, 3, 7} and out.changed == {"1_parse": 8, "2_parse": 3}


def test_a_column_of_the_type_stays_and_numbers_are_read_as_texts(cleansed):
    verbs = [{"parse": {"columns": ["id", "n"], "type": "int"}}, {"parse": {"column": "x", "type": "tinyint"}}]
    out = cleansed([(1, 5, 7.0), (2, None, 7.5), (3, -1, None)], "id int, n bigint, x double", verbs)
    assert out.values("n") == [5, None, -1] and out.values("x") == [None, None, None]
    assert out.faults == {1: ["parse:x"], 2: ["parse:x"]} and out.changed["1_parse"] == 2


ZONES = [
    "UTC",
    "Europe/Amsterdam",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Pacific/Apia",
]


def moments(wall, zone):
    """Return the moments at which clocks in `zone` showed `wall`, by trying every minute that it could be."""
    place = ZoneInfo(zone)
    offsets = {
        (wall.replace(tzinfo=UTC) + timedelta(hours=hours)).astimezone(place).utcoffset() for hours in range(-50, 51, 2)
    }
    found = {(wall - offset).replace(tzinfo=UTC) for offset in offsets}
    return sorted(moment for moment in found if moment.astimezone(place).replace(tzinfo=None) == wall)


def walls(zone):
    """Draw times around the changes of a zone's clocks, and anywhere."""
    chance = random.Random(zone)
    place, hour = ZoneInfo(zone), timedelta(hours=1)
    start = datetime(1995, 1, 1, tzinfo=UTC)
    hours = [start + index * hour for index in range(24 * 365 * 3)]
    changes = [a for a, b in pairwise(hours) if a.astimezone(place).utcoffset() != b.astimezone(place).utcoffset()]
    near = [
        change.astimezone(place).replace(tzinfo=None) + timedelta(minutes=15 * step)
        for change in changes
        for step in range(-10, 11)
    ]
    anywhere = [datetime(1950, 1, 1) + timedelta(minutes=chance.randrange(60 * 24 * 365 * 100)) for _ in range(60)]
    return [*near, *anywhere, datetime(2011, 12, 30, 12), datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)]


@pytest.mark.parametrize("session", ["UTC", "America/St_Johns"])
def test_a_time_without_zone_is_placed_in_its_zone_gaps_and_overlaps_among_it(spark, cleansed, session):
    data = [(zone, wall) for zone in ZONES for wall in walls(zone)]
    rows = [
        (number, *[f"{wall:%d.%m.%Y %H:%M}" if zone == each else None for each in ZONES])
        for number, (zone, wall) in enumerate(data)
    ]
    policies = [("otherwise", "earlier"), ("otherwise", "later"), ("otherwise", "otherwise"), ("shift", "earlier")]
    verbs = [
        {"parse": {"column": f"z{index}", "type": "timestamp", "formats": "dd.MM.yyyy HH:mm", "zone": zone, "gap": gap, "overlap": overlap, "into": f"p{which}_{index}"}}
        for index, zone in enumerate(ZONES) for which, (gap, overlap) in enumerate(policies)
    ]  # fmt: skip
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", session)
    try:
        out = cleansed(rows, "id int, " + ", ".join(f"z{index} string" for index in range(len(ZONES))), verbs)
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)
    seen = {"gap": 0, "overlap": 0}
    for number, (zone, wall) in enumerate(data):
        index, true = ZONES.index(zone), moments(wall, zone)
        seen["gap"] += not true
        seen["overlap"] += len(true) > 1
        # Python's own shifting of a gap: the offset before the change.
        moved = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        wanted = [
            true[0] if true else None,
            true[-1] if true else None,
            true[0] if len(true) == 1 else None,
            true[0] if true else moved,
        ]
        got = [out.rows[number][f"p{which}_{index}"] for which in range(4)]
        assert [each and each.astimezone(UTC) for each in got] == wanted, (zone, wall)
        assert (number in out.faults) == any(each is None for each in wanted)
    assert min(seen.values()) > 20


def test_formats_are_tried_in_order_iso_is_usual_and_zones_in_the_text_count(cleansed):
    data = [
        "2026-01-05 10:00",
        "2026-01-05T10:00:00.123456",
        "2026-01-05",
        "2026-01-05T10:00:00+02:00",
        "2026-01-05 10:00:00Z",
        "10:00",
        "2026-02-30",
        "2026",
        "now",
        "",
        None,
        " 2026-01-05 10:00 ",
    ]
    iso = {"column": "t", "type": "timestamp", "into": "iso", "otherwise": "null"}
    day = {"column": "t", "type": "date", "into": "day", "otherwise": "null"}
    wall = {"column": "t", "type": "timestamp_ntz", "into": "wall", "otherwise": "null"}
    out = cleansed(list(enumerate(data)), "id int, t string", [{"parse": iso}, {"parse": day}, {"parse": wall}])
    ten = datetime(2026, 1, 5, 10, tzinfo=UTC)
    wanted = [
        ten,
        ten.replace(microsecond=123456),
        ten.replace(hour=0),
        ten.replace(hour=8),
        ten,
        None,
        None,
        None,
        None,
        None,
        None,
        ten,
    ]
    assert [each and each.astimezone(UTC) for each in out.values("iso")] == wanted
    assert out.values("day") == [None, None, date(2026, 1, 5), *[None] * 9]
    plain_times = [ten.replace(tzinfo=None), ten.replace(microsecond=123456, tzinfo=None), datetime(2026, 1, 5)]
    assert out.values("wall") == [*plain_times, *[None] * 8, plain_times[0]]
    mixed = ["31.12.2025 23:30", "2025-12-31T23:30:00+01:00", "12/31/25", "31 Dec 2025", "1767222000", "x"]
    formats = ["dd.MM.yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ssXXX", "MM/dd/yy", "dd MMM yyyy", "unix"]
    verbs = [
        {"parse": {"column": "t", "type": kind, "formats": formats, "zone": "Europe/Amsterdam", "into": kind}}
        for kind in ("timestamp", "date")
    ]
    out = cleansed(list(enumerate(mixed)), "id int, t string", verbs)
    late, midnight = datetime(2025, 12, 31, 22, 30, tzinfo=UTC), datetime(2025, 12, 30, 23, tzinfo=UTC)
    assert [each and each.astimezone(UTC) for each in out.values("timestamp")] == [
        late,
        late,
        midnight,
        midnight,
        datetime(2025, 12, 31, 23, tzinfo=UTC),
        None,
    ]
    # A moment has the date that it fell on in the zone: 23:00 in Greenwich is the next day in Amsterdam.
    assert out.values("date") == [*[date(2025, 12, 31)] * 4, date(2026, 1, 1), None]


def test_unix_times_in_seconds_and_milliseconds(cleansed):
    data = [
        "0",
        "1767222000",
        "1767222000.5",
        "-86400.000001",
        "1767222000000",
        "99999999999999999999999999",
        "1e3",
        "x",
    ]
    verbs = [
        {"parse": {"column": "t", "type": "timestamp", "formats": unit, "into": unit}} for unit in ("unix", "unix_ms")
    ]
    out = cleansed(list(enumerate(data)), "id int, t string", verbs)
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    seconds = [zero + timedelta(seconds=1) * float(text) if index < 3 else None for index, text in enumerate(data)]
    seconds[3] = zero - timedelta(days=1, microseconds=1)
    assert [each and each.astimezone(UTC) for each in out.values("unix")] == seconds
    assert out.values("unix_ms")[4].astimezone(UTC) == zero + timedelta(seconds=1767222000)


def test_failing_by_choice_names_the_column_and_no_value(cleansed):
    with pytest.raises(PySparkException) as caught:
        cleansed(
            [(1, "private")],
            "id int, `or der` string",
            [{"parse": {"column": "or der", "type": "int", "otherwise": "fail"}}],
        )
    error = explained(caught.value, "silver.x")
    assert (error.code, error.message) == (
        "LL-CLEAN-003",
        "a value is incompatible, and the verb says fail: parse:or der",
    )
    assert "private" not in str(error)
