import json

import pytest

from benchmarks.result import Result, Table, Target, last_line, store, stored

ABOUT = {
    "cores": 2,
    "processor": "P",
    "memory_gib": 24,
    "system": "Linux",
    "python": "3.11",
    "packages": {},
    "load": 0.1,
}


def result(name="speed", seconds=2.0):
    return Result(
        name,
        "How quick it is",
        {"wall_s": seconds, "score": 0.5},
        (Target("wall_s", 4.0), Target("score", 0.6, "least")),
        {"bare_vs_archived": 1.5},
        (Table("Seconds", ("what", "seconds"), (("all", seconds),)),),
    )


def test_the_last_line_is_one_line_of_json_with_exactly_the_promised_keys():
    line = last_line(result(), ABOUT)
    assert "\n" not in line
    page = json.loads(line)
    assert list(page) == ["name", "ratios", "figures", "machine"]
    assert page["figures"] == {"wall_s": 2.0, "score": 0.5}
    assert page["ratios"] == {"bare_vs_archived": 1.5, "wall_s_of_target": 0.5, "score_of_target": 0.8333}


@pytest.mark.parametrize(("value", "sense", "met"), [(2.0, "most", False), (2.1, "most", True), (2.0, "least", True)])
def test_a_target_at_its_very_value_is_reached_only_as_a_minimum(value, sense, met):
    assert Target("wall_s", value, sense).met({"wall_s": 2.0}) is met


def test_one_bench_stores_anew_and_leaves_the_others(tmp_path):
    store(result("a"), ABOUT, "2026-01-01", tmp_path)
    store(result("b"), ABOUT, "2026-01-01", tmp_path)
    store(result("a", seconds=3.0), ABOUT, "2026-01-02", tmp_path)
    found = stored(["b", "never_ran", "a"], tmp_path)
    assert [(page["name"], page["day"], page["figures"]["wall_s"]) for page in found] == [
        ("b", "2026-01-01", 2.0),
        ("a", "2026-01-02", 3.0),
    ]
