"""What the user sees: one line a stage, with seconds, and a sign of life while a stage takes long.

The tools' own output goes to a log; only a failure shows its end.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from stages.failure import SetupError

ALIVE_S = 20.0
TAIL_LINES = 25


class Progress:
    """Prints the stages and runs their commands.

    Parameters
    ----------
    log : Path
        Where the commands' output goes.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.started = time.monotonic()
        self.stage_name = ""
        self.held: tuple[int, ...] = ()  # file descriptors that children share: a lock lasts as long as its workers

    def say(self, text: str) -> None:
        """Print one line with the seconds since the start."""
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    @contextmanager
    def stage(self, name: str, doing: str) -> Iterator[None]:
        """Announce a stage and, when it is done, its seconds."""
        self.stage_name = name
        self.say(f"{name}: {doing}")
        begun = time.monotonic()
        yield
        self.say(f"{name}: done in {time.monotonic() - begun:.1f} s")

    def call(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Run a command with its output in the log; raises LL-SETUP-008 with the log's end where it fails."""
        with self.log.open("a", encoding="utf-8") as log:
            words = [str(word) for word in command]
            log.write(f"\n$ {' '.join(words)}\n")
            log.flush()
            begun = self.log.stat().st_size
            child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(env) if env else None,
                cwd=cwd,
                pass_fds=self.held,
            )
            try:
                self._wait(child)
            except BaseException:  # also KeyboardInterrupt: no child outlives the set-up
                child.terminate()
                child.wait()
                raise
        if child.returncode:
            with self.log.open("rb") as written:
                written.seek(begun)
                text = written.read().decode("utf-8", "replace")
            tail = "\n".join("    " + line for line in text.splitlines()[-TAIL_LINES:])
            raise SetupError(
                "LL-SETUP-008",
                f"{self.stage_name}: '{Path(words[0]).name}' ended with {child.returncode}\n{tail}",
                f"see {self.log}; run 'make setup' again, it goes on where it stopped",
            )

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        begun = time.monotonic()
        while True:
            try:
                child.wait(ALIVE_S)
                return
            except subprocess.TimeoutExpired:
                self.say(f"{self.stage_name}: still at it, {time.monotonic() - begun:.0f} s")
