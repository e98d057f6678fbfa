"""Progress of a run on standard error: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import mask

if TYPE_CHECKING:
    from lakeloom.flow.result import Listener, StepResult

MARKS = {"done": "✓", "skipped": "–", "failed": "✗", "blocked": "✗"}


@contextmanager
def progress() -> Iterator[Listener]:
    """Give a listener that shows what a run does."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield Live(shown)


class Lines:
    """One plain line when a step starts, and one when it ends."""

    def __init__(self) -> None:
        self._writing = threading.Lock()

    def started(self, name: str, kind: str, reason: str) -> None:
        """Say that a step starts and why."""
        self._say(f"  {name}: {reason}")

    def finished(self, result: StepResult) -> None:
        """Say how a step ended."""
        self._say(line(result))

    def _say(self, text: str) -> None:
        with self._writing:
            sys.stderr.write(mask(text) + "\n")
            sys.stderr.flush()


class Live:
    """A moving line for each running step; a line that stays for each that has ended."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown
        self._tasks: dict[str, Any] = {}

    def started(self, name: str, kind: str, reason: str) -> None:
        """Add the step's moving line."""
        from rich.markup import escape

        self._tasks[name] = self._shown.add_task(escape(mask(f"{name}: {reason}")), total=None)

    def finished(self, result: StepResult) -> None:
        """Replace the step's moving line by one that stays."""
        from rich.text import Text

        if result.name in self._tasks:
            self._shown.remove_task(self._tasks.pop(result.name))
        self._shown.console.print(Text(mask(line(result))))


def line(result: StepResult) -> str:
    """Return one line about a step that has ended."""
    head = f"{MARKS[result.status]} {result.name}"
    if result.status == "done" and result.kind == "upkeep":
        return f"{head}: {result.reason}, in {result.seconds:.1f} s"
    if result.status == "done" and result.export.get("objects"):
        return f"{head}: {result.rows_out:,} rows in {result.export['objects']:,} objects, in {result.seconds:.1f} s"
    if result.status == "done":
        aside = f", {result.quarantined:,} quarantined" if result.quarantined else ""
        return f"{head}: {result.rows_out:,} rows{aside} in {result.seconds:.1f} s"
    return f"{head}: {result.status}, {result.reason}"
