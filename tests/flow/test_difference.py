"""Rows against rows: what is missing, what was not expected, what differs."""

from lakeloom.flow.difference import difference, same, value


def diff(expected, got, keys=(), ordered=False):
    found = difference(expected, got, keys, ordered=ordered)
    return list(found.missing), list(found.unexpected), [list(pair) for pair in found.differing]


def test_equal_rows_in_any_order_do_not_differ():
    rows = [{"a": 1, "b": 0.1 + 0.2}, {"a": 1, "b": 0.3}, {"a": None, "b": float("nan")}]
    assert not difference(rows, rows[::-1], (), ordered=False)
    assert diff([{"a": 1}, {"a": 1}], [{"a": 1}]) == ([{"a": 1}], [], [])


def test_rows_of_one_key_are_one_row_that_differs():
    expected, got = [{"k": 1, "v": 2}, {"k": 2, "v": 2}], [{"k": 1, "v": 3}, {"k": 3, "v": 2}]
    assert diff(expected, got, ["k"]) == (
        [{"k": 2, "v": 2}],
        [{"k": 3, "v": 2}],
        [[{"k": 1, "v": 2}, {"k": 1, "v": 3}]],
    )


def test_without_keys_the_likest_row_is_taken_and_no_stranger():
    expected, got = [{"a": 1, "b": 2, "c": 3}], [{"a": 9, "b": 9, "c": 9}, {"a": 1, "b": 2, "c": 4}]
    assert diff(expected, got) == ([], [got[0]], [[expected[0], got[1]]])
    assert diff([{"a": 1, "b": 2}], [{"a": 3, "b": 4}]) == ([{"a": 1, "b": 2}], [{"a": 3, "b": 4}], [])


def test_order_counts_where_it_is_asked_for():
    rows = [{"a": 1}, {"a": 2}]
    assert diff(rows, rows[::-1], ordered=True)[2] == [[{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}]]
    assert diff(rows, rows[:1], ordered=True) == ([{"a": 2}], [], [])


def test_values_are_the_same_only_if_they_are():
    assert same(1.0, 1.0 + 1e-12) and not same(1.0, 1.001)
    assert same([1.0, {"x": 2.0}], [1.0, {"x": 2.0 + 1e-13}]) and not same([1], [1, 2])
    assert same({}, []) and not same({"a": 1}, []) and not same(None, 0) and not same("", None)


def test_the_text_says_what_to_look_at():
    found = difference(
        [{"k": 1, "v": 2.0, "w": None}, {"k": 2, "v": 1.0, "w": "x"}],
        [{"k": 1, "v": 2.5, "w": " "}, {"k": 3, "v": 1.0, "w": ""}],
        ["k"],
        ordered=False,
    )
    assert str(found).splitlines() == [
        "differs     k: 1",
        "  v  expected 2.0, got 2.5",
        '  w  expected null, got " "',
        "missing     k: 2, v: 1.0, w: x",
        'unexpected  k: 3, v: 1.0, w: ""',
    ]
    assert value([True, {"a": None}]) == "[true, {a: null}]"
