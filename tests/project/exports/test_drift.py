"""Each difference between a file and the graph, by its path."""

from lakeloom.project.exports.drift import Difference, in_data, in_lines


def test_entries_of_lists_are_told_apart_by_their_key():
    graph = {"tasks": [{"task_key": "a", "retries": 1}, {"task_key": "b"}], "name": "x", "args": ["--env", "p"]}
    file = {
        "tasks": [{"task_key": "c"}, {"task_key": "a", "retries": 2}],
        "args": ["--env", "q", "r"],
        "more": {"y": 1},
    }
    assert list(in_data(file, graph)) == [
        Difference("tasks[a].retries", "2", "1"),
        Difference("tasks[b]", None, "{'task_key': 'b'}"),
        Difference("tasks[c]", "{'task_key': 'c'}", None),
        Difference("name", None, "x"),
        Difference("args[1]", "q", "p"),
        Difference("args[2]", "r", None),
        Difference("more", "{'y': 1}", None),
    ]
    assert list(in_data(graph, graph)) == []


def test_a_type_that_changed_is_a_difference():
    assert list(in_data({"a": [1]}, {"a": {"b": 1}})) == [Difference("a", "[1]", "{'b': 1}")]
    assert list(in_data({"a": None}, {})) == [Difference("a", "None", None)]
    assert list(in_data({"a": "1"}, {"a": 1})) == [Difference("a", "'1'", "1")]


def test_entries_that_share_a_key_are_told_apart_by_number():
    twice = [{"task_key": "a", "retries": 1}, {"task_key": "a", "retries": 2}]
    assert list(in_data({"tasks": twice}, {"tasks": twice[:1]})) == [Difference("tasks[1]", str(twice[1]), None)]


def test_texts_differ_by_line():
    assert list(in_lines("a\nb\nc\n", "a\nB\nc\nd\n")) == [
        Difference("line 2", "b", "B"),
        Difference("line 4", None, "d"),
    ]
    assert str(Difference("line 4", None, "d")) == "line 4: missing in the file, d by the graph"
    assert str(Difference("a", "1", None)) == "a: 1 in the file, not in the graph"
    assert len(next(in_lines("x" * 500, "y")).file) <= 120
