"""What ``upkeep:`` may say, and what is due: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lakeloom.tables.upkeep import State, UpkeepSpec, due, size, statistics_of

MB = 1 << 20


def actions(spec, state, **options):
    given = {"ordered": False, "statistics": None} | options
    return [each.action for each in due(spec, state, **given)]


@pytest.mark.parametrize(
    ("text", "wanted"), [("128 MB", 128 * MB), ("1 GB", 1 << 30), ("64KB", 65536), (1000, 1000), ("7", 7)]
)
def test_sizes_are_read(text, wanted):
    assert size(text) == wanted


@pytest.mark.parametrize("text", ["", "0", "-1 MB", "128 megs", "1.5 MB", None])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="write it like 128 MB"):
        size(text)


def test_a_history_of_less_than_an_hour_is_refused():
    with pytest.raises(ValidationError, match="keep an hour at least"):
        UpkeepSpec(vacuum={"keep": "59 minutes"})
    assert UpkeepSpec(vacuum={}).vacuum.keep.seconds == 30 * 86_400


def test_a_table_says_what_differs_from_the_project():
    base = UpkeepSpec(every="2 days", vacuum={"keep": "7 days"}, purge="5%")
    made = UpkeepSpec(every="6 hours", zorder=["a"]).over(base)
    assert (str(made.every), made.purge, str(made.vacuum.keep), made.zorder) == ("6 hours", 0.05, "7 days", ("a",))
    assert UpkeepSpec().over(None) == UpkeepSpec()


def test_small_files_are_due_by_their_number_and_by_any_number_where_somebody_asks():
    state = State(files=15, bytes=15 * MB, mergeable=15)
    assert actions(UpkeepSpec(), state) == []
    assert actions(UpkeepSpec(), state, now=True) == ["compact"]
    (found,) = due(UpkeepSpec(), State(files=412, bytes=120 * MB, mergeable=412), ordered=False, statistics=None)
    assert found.reason == "412 files of 0.3 MiB on average"
    (tiny,) = due(UpkeepSpec(), State(files=20, bytes=90_000, mergeable=20), ordered=False, statistics=None)
    assert tiny.reason == "20 files of 4.4 KiB on average"
    assert actions(UpkeepSpec(compact=False), state, now=True) == []
    assert actions(UpkeepSpec(), State(files=1, bytes=1, mergeable=0), now=True) == []


def test_order_purge_and_statistics_are_due_by_shares():
    state = State(files=4, bytes=100, rows=100, deleted=9, fresh_bytes=19, statistics="`a`")
    assert actions(UpkeepSpec(), state, ordered=True) == []
    more = State(files=4, bytes=100, rows=100, deleted=10, fresh_bytes=20, statistics="`a`")
    assert actions(UpkeepSpec(), more, ordered=True, statistics="`b`") == ["order", "purge", "statistics"]
    assert actions(UpkeepSpec(), more, ordered=False, statistics="`a`") == ["purge"]
    assert actions(UpkeepSpec(), state, ordered=True, now=True) == ["order", "purge"]


def test_nothing_is_ever_deleted_unless_somebody_said_for_how_long_it_lasts():
    state = State(superseded=True)
    assert actions(UpkeepSpec(), state, now=True) == []
    assert actions(UpkeepSpec(vacuum={}), state) == ["vacuum"]
    assert actions(UpkeepSpec(vacuum={}), State(), now=True) == []


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 200), st.booleans())
def test_an_empty_or_a_sound_table_is_left_alone(files, rows, size_bytes, ordered):
    sound = State(files=files, bytes=size_bytes, rows=rows, deleted=0, fresh_bytes=0, mergeable=1)
    assert actions(UpkeepSpec(vacuum={}), sound, ordered=ordered, now=True) == []


def test_statistics_are_kept_of_what_files_are_left_out_by():
    spec = UpkeepSpec(statistics=["v", "k"], zorder=["g"])
    assert statistics_of(spec, ("k",), ("c",)) == ("v", "k", "g", "c")
