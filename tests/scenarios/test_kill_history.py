"""Tags, restores, clones, branches and the audit under SIGKILL: each call is killed at a moment, and called again."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.store import refs
from tests.api.conftest import home

__all__ = ["home"]
REPO = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys, json
from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.store import audit, branches, clones, intents, meta, refs, rewind
moment, nth, call = json.loads(sys.argv[1])
owner, name = moment.rsplit(".", 1)
owner = {"refs": refs, "audit": audit, "clones": clones, "branches": branches, "intents": intents, "meta": meta,
         "os": os, "Intents": intents.Intents}[owner]
right, left = getattr(owner, name), [nth]
def killed(*words, **options):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return right(*words, **options)
setattr(owner, name, killed)
lake = open_lakehouse("conf")
getattr(lake, call[0])(*call[1:])
"""
CALLS = {
    "tag": (["tag", "release-7"], [("refs.record", 0), ("audit.append", 0)]),
    "restore": (["restore", "silver.orders", "last-good"], [("os.link", 0), ("os.link", 1), ("refs.record", 0),
                ("Intents.finish", 0), ("audit.append", 0)]),
    "clone": (["clone", "silver.orders@0", "silver.copy"], [("os.link", 0), ("refs.record", 0), ("audit.append", 0)]),
    "branch": (["branch", "work"], [("os.link", 0), ("os.link", 4), ("audit.append", 0)]),
}  # fmt: skip
CASES = [(name, *moment) for name, (_, moments) in CALLS.items() for moment in moments]


def killed(home, moment, nth, call):
    words = [sys.executable, "-c", KILLED, json.dumps([moment, nth, call])]
    return subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.long
@pytest.mark.parametrize(("name", "moment", "nth"), CASES, ids=[f"{n}-{m}-{c}" for n, m, c in CASES])
def test_the_next_call_finishes_or_begins_anew(home, monkeypatch, name, moment, nth):
    monkeypatch.setenv("PYTHONPATH", str(REPO / "lib"))
    call = CALLS[name][0]
    before = refs.good(open_lakehouse().lake)
    done = killed(home, moment, nth, call)
    assert done.returncode == -signal.SIGKILL, done.stderr
    lake = open_lakehouse()
    assert lake.verify_audit().broken == ""
    getattr(lake, call[0])(*call[1:])
    lake = open_lakehouse()
    assert lake.verify_audit().as_dict() | {"head": "", "rows": 0} == {
        "sound": True, "rows": 0, "head": "", "pending": 0, "broken": "", "at": None
    }  # fmt: skip
    if name == "tag":
        assert lake.tags()[0].versions == before
    elif name == "restore":
        commits = [each for each in lake.table("silver.orders").history() if "restored" in each["manifest"]]
        assert len(commits) == 1 and lake.table("silver.orders").version == commits[0]["version"]
        assert lake.table("silver.orders").size.rows == 2
    elif name == "clone":
        assert lake.table("silver.copy").size.rows == 1
    else:
        assert [each.name for each in lake.branches()] == ["work"]
        assert open_lakehouse(branch="work").table("silver.orders").size.rows == 2
        assert [entry.name for entry in (lake.root / "branches").iterdir()] == ["work"]
