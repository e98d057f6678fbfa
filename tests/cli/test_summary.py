"""The end of a run, as people read it."""

from types import SimpleNamespace

from lakeloom.cli.summary import _changed, _places
from lakeloom.flow.result import RunResult, StepResult


class Said:
    """Takes what would be printed."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_the_rows_that_verbs_changed_are_told_where_there_are_any():
    steps = (
        StepResult(
            "silver.a", "transform", "done", "new", changed={"1_trim": 12345, "2_from_json": 0, "3_from_json": 7}
        ),
        StepResult("silver.b", "transform", "done", "new", changed={"1_trim": 0}),
        StepResult("bronze.a", "land", "done", "new"),
    )
    out = Said()
    _changed(out, RunResult("r", "done", "2026-01-01T00:00:00+00:00", 1.0, steps))
    assert out.lines == ["silver.a  cleansed: 1 trim 12,345, 3 from_json 7"]


def test_what_to_try_next_is_asked_of_the_branch_that_ran():
    result = RunResult(
        "r", "done", "2026-01-01T00:00:00+00:00", 1.0, (StepResult("gold.a", "transform", "done", "new"),)
    )
    for branch, tail in (("fix", ["lakeloom show gold.a --branch fix", "lakeloom diff --branch fix"]), (None, [])):
        out = Said()
        _places(out, SimpleNamespace(on=branch, sample=None, tracking="sqlite:///m.db"), result, None)
        shown = [line.strip() for line in out.lines]
        assert set(tail) <= set(shown)
        assert ("lakeloom lineage gold.a --up" in shown) == (branch is None)
