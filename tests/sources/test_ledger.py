"""The ledger of files: unchanged, new, rewritten, delivered twice. No Spark."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lakeloom.sources.ledger import CHANGED, FileEntry, again, entries, fresh, mark_duplicates
from lakeloom.sources.listing import Listed


def entry(path: str, content: str, time: int = 1, problem: str | None = None) -> FileEntry:
    return FileEntry(path, 10, time, content, ("a",), problem)


def batch(*files: FileEntry) -> dict:
    return {"files": [each.as_dict() for each in files]}


def test_unchanged_files_are_not_fresh_and_touched_ones_are():
    landed = [batch(entry("a", "A"), entry("b", "B"))]
    listed = [Listed("a", 10, 1), Listed("b", 10, 2), Listed("c", 10, 1)]
    assert [each.path for each in fresh(listed, landed)] == ["b", "c"]


def test_the_same_month_twice_is_a_duplicate_within_and_across_batches():
    landed = [batch(entry("a", "A"))]
    marked = mark_duplicates([entry("b", "A"), entry("c", "C"), entry("d", "C")], landed)
    assert [each.duplicate_of for each in marked] == ["a", None, "c"]


def test_a_rewritten_file_lands_anew_even_where_it_returns_to_an_earlier_content():
    first, second = batch(entry("a", "A")), batch(entry("a", "B", 2))
    assert mark_duplicates([entry("a", "B", 3)], [first, second])[0].duplicate_of == "a"
    assert mark_duplicates([entry("a", "A", 3)], [first, second])[0].duplicate_of is None


def test_content_that_could_not_be_read_is_not_landed():
    landed = [batch(entry("a", "A", problem="truncated"))]
    assert mark_duplicates([entry("b", "A")], landed)[0].duplicate_of is None


def test_entries_survive_json():
    import json

    assert entries(json.loads(json.dumps(batch(entry("a", "A"))))) == [entry("a", "A")]


def test_what_can_not_be_had_again_is_passed_over_at_its_place_and_new_to_the_next_poll():
    before = [replace(entry(path, path.upper()), version="1", at=f"there/{path}") for path in "abc"]
    here = {"a": replace(before[0], at="here/a"), "b": replace(before[1], content="X", version="2")}
    first, *others = again(before, here)
    assert first.at == "here/a" and first.loadable
    assert [each.path for each in others] == ["b", "c"]
    assert {(each.problem, each.version, each.at) for each in others} == {(CHANGED, None, None)}


@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("XYZ")), max_size=4), max_size=6))
def test_every_content_in_force_was_loaded_and_none_twice_running(deliveries):
    """Whatever is delivered: a path's current content is loaded, and never loaded twice in a row for a path."""
    landed, time = [], 0
    for delivery in deliveries:
        new = []
        for path, content in dict(delivery).items():
            time += 1
            new.append(entry(path, content, time))
        landed.append({"files": [each.as_dict() for each in mark_duplicates(new, landed)]})
    loaded: set[str] = set()
    last: dict[str, str] = {}
    for each in (each for batch in landed for each in entries(batch)):
        if each.loadable:
            assert last.get(each.path) != each.content
            loaded.add(each.content)
        assert each.content in loaded
        last[each.path] = each.content
