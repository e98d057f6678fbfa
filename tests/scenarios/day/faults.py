"""What goes wrong in a day: lines that break, servers that crash, runs that are killed, clocks that jump.

A fault counts where it has met something: a line over which a connection came while it was spoilt, a server that
crashed and a run that was killed while the run was going on.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from lakeloom.core.errors import LakeloomError
from tests import servers

# What a line does to what the server answers, by random numbers of `chance`.
SPOILT = {
    "dropped": lambda chance: ("reset_peer", {"timeout": chance.choice([0, chance.randrange(300)])}),
    "slow": lambda chance: ("bandwidth", {"rate": chance.randrange(2, 30)}),
    "truncated": lambda chance: ("limit_data", {"bytes": chance.choice([1, 100, chance.randrange(200, 20_000)])}),
    "late answers": lambda chance: ("latency", {"latency": chance.randrange(200, 1_500), "jitter": 100}),
}
DELIVERED = ("rewritten", "late", "duplicate")


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    kind : str
        A key of `SPOILT`, one of `DELIVERED`, ``restarted``, ``killed`` or ``clock``.
    where : str
        The channel; ``root`` for the storage root in a bucket, ``run`` for what befalls the run itself.
    """

    kind: str
    where: str


class Spoiling:
    """A line that is spoilt until it has been met and a while longer."""

    def __init__(self, lines, line, kind, chance):
        self._lines, self._line, self._kind = lines, line, kind
        self._toxic, self._how = SPOILT[kind](chance)
        self._for_s = chance.uniform(0.5, 6.0)
        self._thread = threading.Thread(target=self._last, daemon=True)
        self._ended = threading.Event()

    def begin(self):
        self._before = self._lines.connections(self._line)
        self._lines.spoil(self._line, self._toxic, **self._how)
        self._thread.start()

    def _last(self):
        while not self._met() and not self._ended.wait(0.1):
            pass
        self._ended.wait(self._for_s)
        self._lines.mend(self._line)

    def _met(self):
        return self._lines.connections(self._line) > self._before

    def end(self):
        """Mend the line; return whether a connection came over it meanwhile."""
        self._ended.set()
        self._thread.join()
        return self._met()


class Restarting:
    """A server that crashes as soon as the run speaks with it, or a moment later, and comes back."""

    def __init__(self, lines, line, port, chance):
        self._lines, self._line, self._port = lines, line, port
        self._after_s, self._down_s = chance.uniform(0.0, 3.0), chance.uniform(0.0, 2.0)
        self._ended, self.done = threading.Event(), False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def begin(self):
        self._before = self._lines.connections(self._line)
        self._thread.start()

    def _work(self):
        while self._lines.connections(self._line) == self._before:
            if self._ended.wait(0.05):
                return
        if self._ended.wait(self._after_s):
            return
        servers.restart(self._port, self._down_s)
        self.done = True

    def end(self):
        """Wait until the server is there again; return whether it had crashed."""
        self._ended.set()
        self._thread.join()
        return self.done


class Killing:
    """A run that is killed, with all that it has started, a random while after it has begun to work."""

    def __init__(self, root, within_s, chance):
        self._root, self._after_s = root, chance.uniform(0.0, within_s)
        self._ended, self.done = threading.Event(), False

    def begin(self, process):
        self._process, self._before = process, self._root.intents()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _seen(self):
        with suppress(LakeloomError):  # its server is being restarted
            return self._root.intents() > self._before
        return False

    def _work(self):
        while not self._seen():
            if self._ended.wait(0.02):
                return
        if not self._ended.wait(self._after_s):
            self.done = self._process.poll() is None
            if self.done:
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self):
        """Return whether it was killed while it was going on."""
        self._ended.set()
        self._thread.join()
        return self.done


def after(process, seconds, work):
    """Do something so many seconds from now, or when the process has ended; return the thread."""

    def wait():
        until = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        work()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread
