"""What every kind of channel has in common: when it speaks, about which tables, and how often it is tried."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from lakeloom.core.secrets import Secret
from lakeloom.notify.events import EventKind
from lakeloom.notify.message import Message


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str | Secret, WithJsonSchema({"type": "string"})]
Texts = Annotated[tuple[str, ...], BeforeValidator(_list, json_schema_input_type=str | list[str])]
Events = Annotated[
    tuple[EventKind, ...],
    Field(min_length=1),
    BeforeValidator(_list, json_schema_input_type=EventKind | list[EventKind]),
]


class ChannelConfig(BaseModel):
    """The keys of every channel.

    Attributes
    ----------
    on : tuple of {'failure', 'late', 'quarantine', 'success'}
        What the channel is told of.
    tables : tuple of str
        Globs over the names of steps: ``silver.*``, ``models.*``.
    attempts : int
        How often it is tried, with pauses of 0.5, 1, 2 … seconds.
    timeout_s : float
        Seconds until an attempt is given up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: str
    on: Events = ("failure", "late", "quarantine")
    tables: Texts = ("*",)
    attempts: int = Field(default=4, ge=1, le=10)
    timeout_s: float = Field(default=10.0, gt=0, le=120)


class Channel(Protocol):
    """What a kind of channel offers; see `lakeloom.notify.CHANNELS`."""

    Config: ClassVar[type[ChannelConfig]]

    @classmethod
    def send(cls, config: Any, message: Message, where: str) -> None:
        """Send the message once; raises LL-RUN-006, transient where trying again may help."""
