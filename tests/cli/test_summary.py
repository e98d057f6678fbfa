"""The end of a run, as people read it."""

from lakeloom.cli.summary import _changed
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
