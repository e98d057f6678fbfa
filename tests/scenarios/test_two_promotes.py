"""Two promotes at once, in processes of their own: both come through, or one is refused; never half of each."""

import os
import shutil
import subprocess
import sys

import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.store.branches import read
from tests.flow.stream import Stream
from tests.scenarios.dying import HOME
from tests.scenarios.killing import unfinished

TABLES = """\
tables:
  silver.items:
    from: {{bronze.changes: new}}
    sql: select k, {value} as v, _position from bronze.changes
    keys: [k]
    write: {{mode: merge, sequence_by: _position}}
  gold.sums:
    from: {{silver.items: whole}}
    sql: select sum(v) as v from silver.items
"""


@pytest.fixture
def stream(tmp_path, spark, monkeypatch):
    """Give a project that has run, whose calls wait for one another."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    monkeypatch.delenv("LAKELOOM_BRANCH", raising=False)
    made = Stream(tmp_path / "home", {"k": "string", "v": "bigint"}, TABLES.format(value="v"))
    base = made.home / "conf" / "base.yml"
    base.write_text(base.read_text() + "wait_s: 300\n")
    made.drop({"k": "a", "v": 1}, {"k": "b", "v": 2})
    made.done()
    return made


def at_once(root, *calls):
    """Promote branches at once, each from a checkout; return each one's exit code and what it complained of."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAKELOOM_")}
    environment |= {"PYTHONPATH": str(HOME / "lib"), "LAKELOOM_HOME": str(root)}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "lakeloom.cli", "promote", branch, "--conf", str(conf)], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for branch, conf in calls
    ]  # fmt: skip
    said = [process.communicate(timeout=600)[1] for process in started]
    return [(process.returncode, complained) for process, complained in zip(started, said, strict=True)]


@pytest.mark.long
def test_of_the_same_code_both_come_through(stream):
    conf = stream.home / "conf"
    stream.declare(TABLES.format(value="v * 10"))
    for name in ("one", "two"):
        assert open_lakehouse(conf).branch(name).run().exit_code == 0
    stream.drop({"k": "c", "v": 3})
    stream.done("bronze.*")
    done = at_once(stream.lake.root, ("one", conf), ("two", conf))
    assert [code for code, _ in done] == [0, 0], done
    assert stream.table("silver.items", "k", "v") == [("a", 10), ("b", 20), ("c", 30)]
    assert stream.table("gold.sums", "v") == [(60,)] and unfinished(stream.lake.root) == set()
    assert all(read(stream.lake.root, name).promoted for name in ("one", "two"))
    lake = open_lakehouse(conf)
    assert sorted(row["detail"][:3] for row in lake.audit() if row["action"] == "promote") == ["one", "two"]
    assert (lake.verify_audit().pending, lake.verify_audit().broken) == (0, "")
    assert {step.status for step in stream.run().steps} == {"skipped"}


@pytest.mark.long
def test_of_changes_that_do_not_know_each_other_one_is_refused_and_takes_nothing_back(stream, tmp_path, monkeypatch):
    root, confs = stream.lake.root, {}
    monkeypatch.setenv("LAKELOOM_HOME", str(root))
    for name, value in (("one", "v * 10"), ("two", "v * 100")):
        confs[name] = shutil.copytree(stream.home, tmp_path / name, ignore=shutil.ignore_patterns(".lakeloom")) / "conf"
        (confs[name] / "stream" / "tables.yml").write_text(TABLES.format(value=value))
        assert open_lakehouse(confs[name]).branch(name).run().exit_code == 0
    done = dict(zip(confs, at_once(root, *confs.items()), strict=True))
    (won,) = [name for name, (code, _) in done.items() if code == 0]
    (lost,) = set(confs) - {won}
    assert done[lost][0] == 1 and "LL-BRANCH-004" in done[lost][1], done
    times = {"one": 10, "two": 100}[won]
    # Neither then nor when it is tried again is anything of the first one taken back.
    for _ in range(2):
        assert stream.table("silver.items", "k", "v") == [("a", times), ("b", 2 * times)]
        assert stream.table("gold.sums", "v") == [(3 * times,)]
        assert read(root, won).promoted and not read(root, lost).promoted and unfinished(root) == set()
        ((code, complained),) = at_once(root, (lost, confs[lost]))
        assert code == 1 and "LL-BRANCH-004" in complained
