import json

import pytest

from lakeloom.api.runs import events, unfinished
from lakeloom.core.errors import RunError


def log(root, run, *lines):
    folder = root / "runs" / run
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("\n".join(json.dumps(line) if isinstance(line, dict) else line for line in lines))


def test_unfinished_are_failed_blocked_and_never_reached_steps(root):
    log(root, "20260101T000000-aaaa", {"event": "run started", "steps": ["bronze.old"]})
    log(
        root,
        "20260102T000000-aaaa",
        {"event": "run started", "steps": ["bronze.a", "bronze.b", "silver.a", "gold.a"]},
        {"event": "step done", "name": "bronze.a"},
        {"event": "step failed", "name": "bronze.b"},
        {"event": "step skipped", "name": "silver.a"},
        '{"event": "step do',
    )
    assert unfinished(root) == ["bronze.b", "gold.a"]
    assert len(events(root)) == 4


@pytest.mark.parametrize("run", [None, "nope", "../../etc"])
def test_a_run_that_does_not_exist_is_coded(root, run):
    with pytest.raises(RunError) as caught:
        events(root, run)
    assert caught.value.code == "LL-RUN-003"
