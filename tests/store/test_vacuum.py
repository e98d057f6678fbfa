"""Which files a vacuum takes: pure, against a table that is replayed file by file."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lakeloom.store.log import END, Past
from lakeloom.store.vacuum import ORPHANS_S, Found, Kept, inventory, merged, sweep, window
from lakeloom.store.vacuumed import Vacuum, is_noted, lost, note, noted, ranges, spoken

NOW = 10**12


@st.composite
def tables(draw):
    """Give the files of each version of a table, and versions to keep."""
    versions, live = [], set()
    for number in range(draw(st.integers(1, 9))):
        gone = draw(st.sets(st.sampled_from(sorted(live)))) if live else set()
        live = (live - gone) | {f"{number}-{each}.parquet" for each in range(draw(st.integers(0, 3)))}
        versions.append(frozenset(live))
    head = len(versions) - 1
    kept = draw(st.sets(st.integers(0, head))) | {head}
    return versions, sorted(kept)


def past_of(versions):
    made = Past(0, len(versions) - 1)
    for path in frozenset().union(*versions):
        there = [at for at, files in enumerate(versions) if path in files]
        made.spans[path] = [(there[0], END if there[-1] == made.head else there[-1] + 1)]
    return made


@settings(max_examples=200)
@given(tables())
def test_kept_versions_are_whole_and_the_others_are_named(made):
    versions, kept = made
    present = {path: Found(7, NOW) for path in frozenset().union(*versions)}
    found = sweep(past_of(versions), [Kept(at, at, "") for at in kept], present, NOW)
    needed = frozenset().union(*(versions[at] for at in kept))
    assert set(found.files) == set(present) - needed
    assert found.bytes == 7 * len(found.files)
    gone = {at for first, last in found.gone for at in range(first, last + 1)}
    assert gone == {at for at, files in enumerate(versions) if files - needed}
    assert found.left == len(needed - versions[-1])


def test_a_file_that_the_log_never_heard_of_goes_when_no_writer_can_still_be_at_it():
    past, old = Past(0, 0, {"a.parquet": [(0, END)]}), NOW - ORPHANS_S * 1000
    present = {"a.parquet": Found(1, 0), "young.parquet": Found(2, old + 1), "old.parquet": Found(3, old - 1)}
    found = sweep(past, [Kept(0, 0, "newest")], present, NOW)
    assert (found.files, found.bytes, found.gone) == (("old.parquet",), 3, ())
    assert found.left == 1


def test_changes_are_kept_with_their_version_and_losing_them_loses_no_version():
    past = Past(0, 2, {"a.parquet": [(0, END)]}, {"_change_data/1.parquet": 1, "_change_data/2.parquet": 2})
    present = dict.fromkeys([*past.spans, *past.feeds], Found(1, NOW))
    assert sweep(past, [Kept(2, 2, "")], present, NOW).files == ("_change_data/1.parquet",)
    assert sweep(past, [Kept(2, 2, "")], present, NOW).gone == ()
    assert sweep(past, [Kept(1, 2, "")], present, NOW).files == ()


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=9), st.integers(0, 1000))
def test_a_version_stays_as_long_as_it_was_the_newest_at_a_moment_of_the_span(gaps, keep_s):
    times = {at: sum(gaps[: at + 1]) * 1000 for at in range(len(gaps))}
    past, now_ms = Past(0, len(gaps) - 1, times=times), sum(gaps) * 1000 + 5000
    kept = window(past, keep_s, now_ms)
    for at in times:
        superseded = times.get(at + 1, now_ms)
        assert (superseded >= now_ms - keep_s * 1000) <= (at >= kept.first)
    assert kept.last == past.head and (kept.first == past.head or times[kept.first + 1] >= now_ms - keep_s * 1000)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5))))
def test_spans_are_put_together(pairs):
    spans = [(first, first + more) for first, more in pairs]
    wanted = {at for first, last in spans for at in range(first, last + 1)}
    assert merged(spans) == ranges(wanted)


def test_what_was_vacuumed_is_noted_once_with_its_first_time_and_for_that_table_alone(root):
    assert not is_noted(root, "silver.a") and noted(root, "silver.a", "x") == []
    note(root, "silver.a", "x", Vacuum("2026-01-01", ((0, 3),)))
    note(root, "silver.a", "x", Vacuum("2026-02-01", ((2, 5), (8, 8))))
    found = noted(root, "silver.a", "x")
    assert [lost(found, at) for at in (0, 3, 4, 8, 7)] == ["2026-01-01"] * 2 + ["2026-02-01"] * 2 + [None]
    assert noted(root, "silver.a", "made anew") == []
    assert spoken(found[1].gone) == "4–5, 8"


def test_the_inventory_holds_rows_changes_and_vectors_and_nothing_of_the_log(lake):
    from pathlib import Path

    folder = Path(lake.path("silver.a"))
    names = ["a.parquet", "k=ü b/b.parquet", "_day=1/c.parquet", "_change_data/d.parquet", "deletion_vector_1.bin"]
    hidden = ["_delta_log/0.checkpoint.parquet", "_delta_log/0.json", ".a.parquet.crc", "_tmp/x.parquet", "note.txt"]
    for name in [*names, *hidden]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    assert set(inventory(lake, "silver.a")) == set(names)
