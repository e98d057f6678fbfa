"""``lakeloom watch``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Select
from lakeloom.cli.shell import STOPPED, Shell, shell

if TYPE_CHECKING:
    from lakeloom.flow.watch import Watched


def watch(
    select: Select = None,
    every: Annotated[
        str | None, typer.Option("--every", metavar="LENGTH", help="Every 10m, 2h or 1d, in place of the schedule.")
    ] = None,
    times: Annotated[int | None, typer.Option("--times", min=1, metavar="N", help="End after N runs.")] = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run at each due time of the config's schedule:, one run at a time, until it is stopped.

    Streaming tables that say every: go on between, with what they read. A source or table that says when: is run,
    with all that is made of it, as soon as files arrive, rows appear, or a table has changed.

    The config is read anew for each run. A time that was missed is made good by one run; a run that
    fails ends nothing, and a source that keeps failing is asked with growing pauses. Exit code 130 after Ctrl-C,
    0 after SIGTERM or --times. JSON: a line a run, {"due", "missed", "status", "run_id", "seconds",
    "steps": {status: count}, "latency_s": {step: seconds from arrival to commit}, "error", "next"}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        from lakeloom.cli.progress import progress

        ended = Ended()
        with ended.on_term(), progress() as listener:
            options: dict[str, Any] = {"every": every, "times": times, "listener": listener, "waiting": _waiting}
            for each in out.open().watch(*(select or ()), **options):
                _tell(out, each)
                if each.status == "stopped" and not ended.asked:
                    raise typer.Exit(STOPPED)


class Ended:
    """Whether SIGTERM asked for the end: it stops what is going on as Ctrl-C does, and is no failure."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def on_term(self) -> Iterator[None]:
        """Listen while the block runs."""
        before = signal.signal(signal.SIGTERM, self._stop)
        try:
            yield
        except KeyboardInterrupt:
            if not self.asked:
                raise
        finally:
            signal.signal(signal.SIGTERM, before)

    def _stop(self, *_: Any) -> None:
        if not self.asked:
            self.asked = True
            raise KeyboardInterrupt


def _waiting(due: datetime) -> None:
    sys.stderr.write(f"next run at {due:%Y-%m-%d %H:%M:%S} UTC\n")
    sys.stderr.flush()


def _tell(out: Shell, run: Watched) -> None:
    if out.as_json:
        out.document(run.as_dict())
        sys.stdout.flush()
        return
    missed = f", {run.missed} earlier ones missed" if run.missed else ""
    steps = ", ".join(f"{count} {status}" for status, count in run.as_dict()["steps"].items())
    waited = f", {max(run.latency_s.values()):.1f} s after arrival" if run.latency_s else ""
    told = (
        f"{run.result.run_id or 'nothing new'} {run.status} ({steps}){waited}" if run.result else f"failed\n{run.error}"
    )
    out.say(f"due {run.due:%Y-%m-%d %H:%M:%S} UTC{missed}: {told}")
    sys.stdout.flush()
