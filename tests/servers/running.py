"""A program that listens on loopback: started by the test run, ended with it, by its own process alone."""

import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

_RUNNING = {}


@contextmanager
def running(words, port, log, crash=signal.SIGKILL, **options):
    """Run a server until the block ends; it must listen within a minute.

    `crash` is the signal by which `restart` ends it, at which it must not tidy up; `options` are Popen's.
    """
    program = _Program(list(map(str, words)), port, Path(log), crash, options)
    program.start()
    _RUNNING[port] = program
    try:
        yield
    finally:
        del _RUNNING[port]
        program.stop()


def restart(port, down_s=0.0):
    """Crash the server that listens on `port`, and start it again after so many seconds."""
    program = _RUNNING[port]
    program.process.send_signal(program.crash)
    program.process.wait(20)
    time.sleep(down_s)
    program.start()


class _Program:
    def __init__(self, words, port, log, crash, options):
        self._words, self._port, self._log, self.crash, self._options = words, port, log, crash, options

    def start(self):
        with self._log.open("ab") as out:
            self.process = subprocess.Popen(self._words, stdout=out, stderr=subprocess.STDOUT, **self._options)
        try:
            self._listens()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(3)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(3)

    def _listens(self, limit_s=60):
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            assert self.process.poll() is None, self._said()
            time.sleep(0.05)
        raise AssertionError(f"nothing listens on {self._port}: {self._said()}")

    def _said(self):
        return self._log.read_text(errors="replace")[-2000:]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
