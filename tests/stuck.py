"""A test that takes too long ends the run: said at its very end is where the test and the JVM's threads stand.

A log is often read by its last lines. Stacks of all of Python's threads tell nothing of a JVM that does not answer.
"""

import faulthandler
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

_LINES, _WIDE = 18, 110
_OURS = ("org.apache.spark", "io.delta", "org.apache.hadoop", "org.apache.parquet", "java.net")
# Where threads of a pool, and those that look after others, wait for work.
_IDLE = ("BlockingQueue", "BlockingDeque", "SynchronousQueue", "DelayedWorkQueue", "NioEventLoop", "ReferenceQueue",
         "Socket.implAccept", "MonitorThread", "PythonGatewayServer$.main")  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item, settings):
    """Take the place of the plugin's own timer."""
    item.stuck = threading.Timer(settings.timeout, _end, (item,))
    item.stuck.daemon = True
    item.stuck.start()
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item):
    """Let a test go that has ended in time."""
    item.stuck.cancel()
    return True


def _end(item):
    """Say where everything stands and end the process: nothing else gets a thread out of a call into the JVM."""
    capture = item.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else _nothing():
        faulthandler.dump_traceback(sys.__stderr__)
        for process in _javas():
            asked = subprocess.run(
                ["jstack", "-l", str(process)], capture_output=True, text=True, timeout=60, check=False
            )
            sys.__stderr__.write("\n".join(digest(asked.stdout)) + "\n")
        sys.__stderr__.write(f"{item.nodeid}: took too long\n")
        sys.__stderr__.flush()
        os._exit(1)


@contextmanager
def _nothing():
    yield


def _javas():
    """Return the numbers of the JVMs that this process has started."""
    import psutil

    return [each.pid for each in psutil.Process().children() if each.name() == "java"]


def digest(stacks):
    """Return a line for each of the JVM's threads that is at work or waits for another: its state and where it is.

    Parameters
    ----------
    stacks : str
        What jstack prints.
    """
    found = []
    for block in re.split(r"\n\n(?=\")", stacks):
        name, state = re.match(r'"([^"]*)"', block), re.search(r"State: (\w+)", block)
        frames = re.findall(r"\tat ([^\n(]+)\([^\n)]*?(:\d+)?\)", block)
        if not name or not state or any(word in frame for frame, _ in frames for word in _IDLE):
            continue
        ours = [frame for frame in frames if frame[0].startswith(_OURS)]
        if ours:
            places = [".".join(frame.split(".")[-2:]) + line for frame, line in [frames[0], *ours[:2]]]
            found.append(f"{name[1][:20]} {state[1]} {' < '.join(places)}"[:_WIDE])
    locked = stacks.partition("Found one Java-level deadlock")
    return sorted(set(found))[:_LINES] + (locked[1] + locked[2]).splitlines()[:_LINES]
