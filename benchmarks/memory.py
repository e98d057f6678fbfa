"""The largest resident memory of a program's own process and of the JVM below it, seen while they run."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

PAUSE_S = 0.02  # what a program takes in its last moments is seen too
_EACH = 10  # looks: so often it is asked anew which processes there are, which takes longer


@dataclass
class Watch:
    """Looks at what this process starts from now on, until it is left; sizes in MiB.

    Attributes
    ----------
    python_mib : float
        Of the largest program that was started.
    jvm_mib : float
        Of the largest JVM below one.
    looks : int
        How often it has looked.
    """

    python_mib: float = 0.0
    jvm_mib: float = 0.0
    looks: int = 0
    _left: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _before: set[int] = field(default_factory=set)
    _own: list[str] = field(default_factory=lambda: psutil.Process().cmdline())

    def __enter__(self) -> Watch:
        self._before = {child.pid for child in psutil.Process().children()}
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        assert self._thread is not None
        self._thread.join()

    def _look(self) -> None:
        programs: list[psutil.Process] = []
        while True:
            anew = self.looks % _EACH == 0
            if anew:
                programs = [child for child in psutil.Process().children() if child.pid not in self._before]
            for program in programs:
                with suppress(psutil.Error):
                    if program.cmdline() == self._own:
                        continue  # forked and not yet the program: it has this process's memory for a moment
                    self.python_mib = max(self.python_mib, _mib(program))
                    # By its name: what a JVM forks has its memory for a moment, under the name of a thread.
                    jvms = [each for each in program.children(recursive=True) if each.name() == "java"] if anew else []
                    self.jvm_mib = max([self.jvm_mib, *map(_mib, jvms)])
            self.looks += 1
            if self._left.wait(PAUSE_S):
                return


def _mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20
