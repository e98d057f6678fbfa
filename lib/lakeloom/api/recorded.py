"""The columns of tables as they were last recorded: what `check` knows of a table without a contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lakeloom.core.steps import Step
from lakeloom.store.intents import Intents
from lakeloom.store.lake import Lake


def columns(lake: Lake, good: Mapping[str, int], steps: Callable[[], Iterable[Step]]) -> dict[str, list[str]]:
    """Return the columns of bronze, and of silver and gold tables whose config and code are as they were then.

    Parameters
    ----------
    good : mapping
        The last good version of each table.
    steps : callable
        Gives the project's steps; called only where there is a table.
    """
    names = [str(name) for name in lake.tables() if name.layer in ("bronze", "silver", "gold")]
    if not names:
        return {}
    codes = {step.name: step.code for step in steps()}
    intents, known = Intents(lake.root), {}
    for name in names:
        made = None if name.startswith("bronze.") else intents.published(name)
        if made.intent.code == codes.get(name) if made else name.startswith("bronze."):
            known[name] = list(lake.columns(name, good.get(name)))
    return known
