"""Numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lakeloom.pages import formats
from lakeloom.pages.svg import Scale, digits, tag, text

GAP = "\u00a0"


@pytest.mark.parametrize(("value", "written"), [
    (0, "0"), (336776, "336,776"), (None, "–"), (float("nan"), "–"), (True, "–"), ("x", "–"),
])  # fmt: skip
def test_counts(value: object, written: str) -> None:
    assert formats.count(value) == written


@pytest.mark.parametrize(("value", "written"), [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (14_812_004, "14.8 MB"), (999_960, "1.0 MB"), (2.5e12, "2.5 TB"),
    (None, "–"),
])  # fmt: skip
def test_sizes(value: object, written: str) -> None:
    assert formats.size(value) == written.replace(" ", GAP)


@pytest.mark.parametrize(("value", "written"), [
    (0.42, "0.42 s"), (12.34, "12.3 s"), (59.97, "1 min 00 s"), (125, "2 min 05 s"), (3720, "1 h 02 min"), (None, "–"),
])  # fmt: skip
def test_durations(value: object, written: str) -> None:
    assert formats.duration(value) == written.replace(" ", GAP)


def test_shares_metrics_and_settings() -> None:
    assert formats.share(0.156) == f"15.6{GAP}%"
    assert formats.share(29 / 336_776) == f"0.0086{GAP}%"
    assert formats.metric(-0.381) == "\u22120.3810"
    assert [formats.setting(v) for v in (0.0031622776, 64, "adam", True, None)] == [
        "0.003162",
        "64",
        "adam",
        "True",
        "–",
    ]
    assert formats.words("config_hash") == "Config hash"


def test_moments_are_utc() -> None:
    east = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert formats.moment(east) == "2025-12-31 23:00:00 UTC"
    assert formats.moment(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01 00:00:00 UTC"
    assert formats.moment(None) == "–"


def test_scales_end_on_round_values() -> None:
    scale = Scale.around([0.341, 0.408], 0, 100)
    assert (round(scale.low, 6), round(scale.high, 6)) == (0.34, 0.42)
    assert [digits(scale)(value) for value in scale.ticks()][:2] == ["0.34", "0.36"]
    assert digits(Scale(0.3, 0.4, 0, 1), 4)(0.325) == "0.325"
    assert Scale.around([], 0, 1).ticks()
    assert Scale.around([3.0, 3.0], 0, 1).low < 3 < Scale.around([3.0, 3.0], 0, 1).high


def test_elements_escape_what_they_hold() -> None:
    written = '<text x="1" y="2.5" aria-label="&#34;x&#34;">&lt;b&gt;</text>'
    assert text(1.0, 2.5, "<b>", aria_label='"x"') == written
    assert "<b>" not in tag("g", "<b>", data_x="<b>")
