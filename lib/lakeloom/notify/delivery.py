"""Sending: every channel at once, each tried with backoff; what can't be delivered is a fact, not a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from lakeloom.core.errors import RunError
from lakeloom.core.posting import CODE, tried
from lakeloom.notify.message import Message


@dataclass(frozen=True)
class Letter:
    """A message, and the channel that it goes to: its kind's class, its resolved config, its place."""

    where: str
    kind: Any
    config: Any
    message: Message


@dataclass(frozen=True)
class Delivery:
    """What became of a message.

    Attributes
    ----------
    channel : str
        Its place and kind: ``notify.0 slack``.
    error : dict or None
        Code, where, message and fix where it was not delivered.
    """

    channel: str
    delivered: bool
    attempts: int
    subject: str
    error: dict[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it for ``--json`` and the log."""
        return asdict(self)


def deliver(letters: Sequence[Letter], *, pause: Callable[[float], None] = time.sleep) -> list[Delivery]:
    """Send all letters side by side; never raises."""
    if not letters:
        return []
    with ThreadPoolExecutor(min(len(letters), 8), "notify") as pool:
        return list(pool.map(lambda letter: _deliver(letter, pause), letters))


def _deliver(letter: Letter, pause: Callable[[float], None]) -> Delivery:
    def send() -> None:
        try:
            letter.kind.send(letter.config, letter.message, letter.where)
        except RunError:
            raise
        except Exception as cause:  # a channel of a user's own may raise anything; the run must not fail of it
            raise RunError(CODE, f"the channel raised {type(cause).__name__}", where=letter.where) from cause

    attempts, error = tried(send, letter.config.attempts, pause=pause)
    return Delivery(letter.where, error is None, attempts, letter.message.subject, error.as_dict() if error else None)
