"""A page of the guide as a user follows it: its blocks run in order, in a fresh project, as they stand there.

A block of ``sh`` runs by ``bash -e`` and a block of ``python`` by this Python, each on its own, in the
project's folder. ``sh norun`` and all other languages are only shown. A page whose first line is
``<!-- long -->`` takes minutes. What a block leaves running (``… &``) is stopped when the page ends.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.standalone import free_port

HOME = Path(__file__).resolve().parents[2]
GUIDE = HOME / "docs" / "guide"
LONG = "<!-- long -->"
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL)
PROGRAMS = {"sh": ("bash", "-e"), "python": (sys.executable, "-")}
_TIMEOUT_S = 300
_SHOWN = 3000


@dataclass(frozen=True)
class Block:
    """One fenced block: the line of its fence, its language, whether it runs, its text."""

    line: int
    language: str
    runs: bool
    text: str


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page's text, in order."""
    found = []
    for fence in _FENCE.finditer(page):
        language, *words = fence["info"].split() or [""]
        text = "".join(line.removeprefix(fence["indent"]) for line in fence["text"].splitlines(keepends=True))
        runs = language in PROGRAMS and "norun" not in words
        found.append(Block(page.count("\n", 0, fence.start()) + 1, language, runs, text))
    return found


def environment() -> dict[str, str]:
    """Return a user's environment: the installed command first on the path, nothing of this test run's projects."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("LAKELOOM_")}
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    port = {"CONNECT_PORT": str(free_port())}
    return own | port | {"PATH": os.pathsep.join(paths), "PYTHONPATH": str(HOME / "lib"), "DO_NOT_TRACK": "1"}


def follow(page: Path, project: Path, timeout_s: float = _TIMEOUT_S) -> int:
    """Run the blocks of `page` in `project`; return how many ran.

    Raises
    ------
    AssertionError
        With page, block and the end of its output, where one fails or takes too long.
    """
    ran, groups, variables = 0, [], environment()
    try:
        for block in blocks(page.read_text(encoding="utf-8")):
            if not block.runs:
                continue
            # Into a file: a pipe would stay open as long as something that the block left running.
            said = project.parent / f"{page.stem}-{block.line}.out"
            with said.open("wb") as out:
                process = subprocess.Popen(
                    PROGRAMS[block.language], cwd=project, env=variables, stdin=subprocess.PIPE,
                    stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
                groups.append(process.pid)
                try:
                    process.communicate(block.text.encode(), timeout=timeout_s)
                    ended = f"exit code {process.returncode}" if process.returncode else ""
                except subprocess.TimeoutExpired:
                    ended = f"not done after {timeout_s:.0f} s"
            if ended:
                output = said.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
                raise AssertionError(f"{page.name}:{block.line}: {ended}\n--- block\n{block.text}--- output\n{output}")
            ran += 1
    finally:
        for group in groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
    return ran
