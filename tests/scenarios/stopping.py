"""A run in a process of its own that stands still at the n-th moment of a chosen kind, so that it can be killed just there.

Moments are the seams of an execution: an intent is written, each of its commits before and after, the
publication before and after, and the facts. `kill_at_seam` sends SIGKILL to the whole process group (the
JVM too) once the process says that it stands there.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
_CHILD = """\
import sys, threading
from lakeloom.config.load import read
from lakeloom.project.check import checked
from lakeloom.flow import write as writing
from lakeloom.flow.choice import Choice
from lakeloom.flow.replaying import replay
from lakeloom.flow.runner import run
from lakeloom.store import refs
from lakeloom.store.intents import Intents

conf, stop, work = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
lock, passed = threading.Lock(), 0

def seam(name):
    global passed
    with lock:  # the other steps stand still as well
        passed += 1
        if passed == stop:
            print(name, flush=True)
            sys.stdin.read()

def around(owner, name, title, before=True, after=True):
    real = getattr(owner, name)
    def stopping(*args, **more):
        before and seam(f"before {title(args)}")
        made = real(*args, **more)
        after and seam(f"after {title(args)}")
        return made
    setattr(owner, name, stopping)

around(writing, "_commit", lambda args: f"the commit of {args[3].table}")
around(refs, "publish", lambda args: "a publication")
around(Intents, "begin", lambda args: f"the intent of {args[1].step}", before=False)
around(Intents, "finish", lambda args: f"the facts of {args[1].step}", after=False)
project = checked(read(__import__("pathlib").Path(conf)))
if work[:1] == ["replay"]:
    result = replay(project, work[1], Choice()).run
else:
    result = run(project, work)
print("ended", result.status, passed, flush=True)
"""


def kill_at_seam(conf, number, *work):
    """Kill a run (of the patterns `work`, or ``replay TABLE``) as it reaches its seam `number`, from 1.

    Returns
    -------
    str
        Where it stood; ``ended …`` with the run's status and how many seams it has where it had fewer.
    """
    environment = os.environ | {"PYTHONPATH": f"{HOME / 'lib'}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", _CHILD, str(conf), str(number), *work]
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said, told = "", []
    try:
        while not said.startswith(("before ", "after ", "ended ")):
            said = process.stdout.readline()
            told.append(said)
            assert said, "".join(told)[-3000:]
    finally:
        with suppress(ProcessLookupError):  # all of it had ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    return said.strip()


def kill_while_writing(conf, table, *work, timeout_s=300):
    """Kill a run as soon as a data file of `table` (a folder) appears that no commit can name yet.

    Returns
    -------
    bool
        Whether it fell between data files and commit.
    """
    log = table / "_delta_log"
    files, commits = set(table.rglob("*.parquet")), set(log.glob("*.json"))
    environment = os.environ | {"PYTHONPATH": f"{HOME / 'lib'}", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(conf), "0", *work], env=environment, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + timeout_s
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if set(table.rglob("*.parquet")) - files:
                break
            time.sleep(0.001)
    finally:
        with suppress(ProcessLookupError):  # all of it had ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    return set(log.glob("*.json")) == commits and bool(set(table.rglob("*.parquet")) - files)
