import pytest

from benchmarks.tests import result

SAID = """\
============================= slowest 10 durations =============================
37.16s setup    tests/a.py::test_one
9.80s call     tests/b.py::test_two[x]
=============== 1450 passed, 19 deselected, 11 warnings in 880.57s (0:14:40) ===============
"""


def test_seconds_counts_and_the_slowest_are_read():
    found = result(SAID)
    assert found.figures == {"wall_s": 880.6, "passed": 1450.0}
    assert found.tables[0].rows[0] == ("`tests/a.py::test_one`", "setup", "37.2")
    assert found.targets[0].met(found.figures)


def test_another_end_is_no_result():
    with pytest.raises(RuntimeError, match="closing line"):
        result("Interrupted")
