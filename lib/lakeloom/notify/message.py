"""Events → the message of one channel: subject, text and plain data. Pure; every text is masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from lakeloom.core.secrets import mask
from lakeloom.notify.events import Event

TITLES = {"failure": "failed", "late": "late", "quarantine": "much quarantine", "success": "done"}
# A run of a large project may fail in hundreds of steps: the first ones tell the story.
SHOWN = 20


@dataclass(frozen=True)
class Message:
    """What is told to one channel.

    Attributes
    ----------
    run : str
        The run's id; empty where there was none, as for ``lakeloom freshness``.
    owners : dict
        Owner → addresses, of the owners of the tables in the events.
    """

    project: str
    env: str
    run: str
    events: tuple[Event, ...]
    owners: Mapping[str, tuple[str, ...]]

    @property
    def subject(self) -> str:
        """One line: ``[shop/local] 2 failed, 1 late: silver.orders, …``."""
        kinds = [event.kind for event in self.events]
        counts = [f"{kinds.count(kind)} {word}" for kind, word in TITLES.items() if kind in kinds]
        names = list(dict.fromkeys(event.subject for event in self.events))
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        return mask(f"[{self.project}/{self.env}] {', '.join(counts)}: {shown}")

    def text(self) -> str:
        """The whole message as plain text."""
        lines = []
        for event in self.events[:SHOWN]:
            head = f"{TITLES[event.kind].upper()}  {event.subject}" + (f"  {event.code}" if event.code else "")
            lines += [head, f"  {event.text}"]
            lines += [f"  fix: {event.fix}"] if event.fix else []
            lines += [f"  owner: {event.owner}"] if event.owner else []
        if len(self.events) > SHOWN:
            lines.append(f"… and {len(self.events) - SHOWN} more")
        if self.run:
            lines += ["", f"run {self.run}: see 'lakeloom logs {self.run}'"]
        return mask("\n".join(lines))

    def as_dict(self) -> dict[str, Any]:
        """The message as plain data; the shape is documented in the guide."""
        return {
            "project": self.project,
            "env": self.env,
            "run_id": self.run or None,
            "subject": self.subject,
            "events": [{key: mask(value) if value else value for key, value in event.as_dict().items()}
                       for event in self.events],
            "owners": {owner: list(addresses) for owner, addresses in self.owners.items()},
        }  # fmt: skip


def compose(
    events: Iterable[Event],
    *,
    on: Sequence[str],
    tables: Sequence[str],
    owners: Mapping[str, tuple[str, ...]],
    project: str,
    env: str,
    run: str = "",
) -> Message | None:
    """Return what a channel is to be told, None where nothing of it is its business.

    Parameters
    ----------
    on : sequence of str
        The kinds of events that the channel wants.
    tables : sequence of str
        Globs over the events' subjects; what concerns the run as a whole always passes.
    owners : mapping
        Owner → addresses, of all owners.
    """
    wanted = tuple(
        event
        for event in events
        if event.kind in on and (event.subject == "run" or any(fnmatchcase(event.subject, glob) for glob in tables))
    )
    if not wanted:
        return None
    named = dict.fromkeys(event.owner for event in wanted if event.owner)
    return Message(project, env, run, wanted, {owner: owners.get(owner, ()) for owner in named if owner})
