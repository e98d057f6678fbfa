"""Looking for what steps wait for: sources are asked in the background, tables are compared with what was read of them.

One that hangs is given up at its time limit and holds up no other: each is asked by a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lakeloom.core.errors import LakeloomError
from lakeloom.core.steps import Step
from lakeloom.flow.asking import Answer, Ask
from lakeloom.flow.context import Context
from lakeloom.flow.explain import explained
from lakeloom.flow.planning import plan
from lakeloom.flow.prepare import asks
from lakeloom.store import refs


@dataclass(frozen=True)
class Heard:
    """What has come of looking.

    Attributes
    ----------
    fired : list of str
        Steps whose event has happened.
    answers : dict
        What their sources said, so that a run need not ask again.
    quiet : list of str
        Sources that answered that nothing is new.
    errors : dict
        Sources that could not be asked, with why.
    """

    fired: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    quiet: list[str] = field(default_factory=list)
    errors: dict[str, LakeloomError] = field(default_factory=dict)


class Sensors:
    """The sources that are being asked."""

    def __init__(self) -> None:
        self._asks: dict[str, Ask] = {}

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._asks)

    def look(self, context: Context, steps: Iterable[Step]) -> list[str]:
        """Begin to ask the sources of steps that land, and return the tables whose inputs have changed."""
        changed, good = [], refs.good(context.lake)
        for step in steps:
            if step.kind != "land":
                if any(each.action != "skip" for each in plan(context.project, [step.name])):
                    changed.append(step.name)
            elif step.name in self._asks:  # its last answer is still awaited
                continue
            elif asks(context, step, good):
                self._asks[step.name] = Ask(context, step)
            else:  # it goes on with what was begun, whatever its source says
                latest = context.intents.latest(step.name)
                changed += [step.name] if latest is not None and latest.crashed else []
        return changed

    def heard(self) -> Heard:
        """Return what has come in since the last call, and give up what takes too long."""
        found = Heard()
        for name, ask in list(self._asks.items()):
            ask.expire()
            if not ask.future.done():
                continue
            del self._asks[name]
            answer = ask.future.result()
            if answer.error is not None:
                found.errors[name] = explained(answer.error, name)
            elif answer.batch is None:
                found.quiet.append(name)
            else:
                found.fired.append(name)
                found.answers[name] = answer
        return found
