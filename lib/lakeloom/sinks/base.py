"""What a kind of sink offers: whether an execution's rows stand there already, and putting them there, once.

A sink is told which execution of which export it serves, and must make a second call for the same one find what the
first has left, wherever that was killed: nothing doubled, nothing half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Session = Callable[[], "SparkSession"]
Mode = Literal["whole", "new", "changes"]


@dataclass(frozen=True)
class Around:
    """What surrounds a sink: the project's home, which relative paths start at, and how stores are reached."""

    home: Path
    stores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Shipment:
    """One execution of an export.

    Attributes
    ----------
    export : str
        Its name, without ``exports.``.
    epoch, run : int, str
        Together they are this execution and no other, also where a storage root was made anew and counts from 1.
    table, version : str, int
        What goes out.
    since : int or None
        Of ``new`` and ``changes``: up to where earlier executions had taken it; of bronze an epoch, else a version.
    clock : str
        ISO time in UTC.
    full : bool
        Whether what earlier executions put there is replaced.
    last : tuple of (int, str) or None
        Epoch and run of the execution before, which must stand where this one only adds to it.
    """

    export: str
    epoch: int
    run: str
    table: str
    version: int
    mode: Mode
    clock: str
    full: bool = True
    since: int | None = None
    last: tuple[int, str] | None = None

    @property
    def adds(self) -> bool:
        """Whether it adds to what stands there."""
        return self.mode != "whole" and not self.full


@dataclass(frozen=True)
class Sent:
    """What an execution has put there.

    Attributes
    ----------
    bytes, objects : int
        0 for a database.
    deleted : int
        Rows of a database that were taken away.
    """

    rows: int
    bytes: int = 0
    objects: int = 0
    deleted: int = 0


class Sink(Protocol):
    """A kind of sink, opened.

    Attributes
    ----------
    Config : type
        What stands below ``to:`` (or beside it, where that is an address).
    words : frozenset of str
        Keys of it that change nothing of what stands there: after a change of them nothing is exported anew.
    """

    Config: ClassVar[type[BaseModel]]
    words: ClassVar[frozenset[str]]

    config: Any

    def __init__(self, config: Any, around: Around) -> None: ...

    @classmethod
    def problems(cls, config: Any, mode: Mode) -> list[tuple[str, str]]:
        """Return what does not go together, as (key, in words)."""

    @classmethod
    def columns(cls, config: Any) -> dict[str, tuple[str, ...]]:
        """Return the columns that the config names: key → columns."""

    @classmethod
    def place(cls, config: Any) -> str:
        """Return where it goes, in words that are equal for equal places and that hold no secret."""

    def settled(self, shipment: Shipment, session: Session) -> Sent | None:
        """Return what this very execution has put there; None where it is not, or not wholly, there.

        Parameters
        ----------
        session : callable
            Gives Spark's session, for who needs its driver.
        """

    def send(self, session: SparkSession, rows: DataFrame, shipment: Shipment) -> Sent:
        """Put the rows there so that readers see all of them, or what was there before.

        Raises
        ------
        SinkError
            LL-SINK-…, as the kind says; SourceError where the place can't be reached or refuses.
        """

    def tidy(self, shipment: Shipment, session: Session) -> int:
        """Take away what interrupted executions left and what was replaced; return how much that was."""
