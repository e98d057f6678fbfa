"""What every kind of source gives back: a pinned batch, then good and broken rows.

A *batch* is a JSON-able dict that says exactly what is to be read. It stands in the step's intent,
so that a replay after a crash reads the very same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

Batch = dict[str, Any]
BROKEN = "raw string, bytes binary, reasons array<string>, _file string, _file_no int, _record bigint"


class LeftToSparkError(Exception):
    """Raised by a job whose rows Spark is to read after all.

    Parameters
    ----------
    why : str
        Without values and words of the source's.
    again : bool
        Whether the job may succeed when it is tried again.
    """

    def __init__(self, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.again = again


class Job(Protocol):
    """Rows that one task reads as Arrow and writes into one file of the table; it travels to an executor."""

    def tables(self) -> Iterator[pa.Table]:
        """Yield raw columns, ``_file string`` (or a dictionary of it), ``_file_no int``, ``_record bigint``."""


@dataclass(frozen=True)
class Landing:
    """The rows of a batch.

    Attributes
    ----------
    good : DataFrame
        Raw columns and ``_file string, _file_no int, _record bigint``; ``_record`` is unique within its
        ``_file_no``, and sorts as the file does where there is a file.
    broken : DataFrame or None
        What could not be read: ``raw string, bytes binary, reasons array<string>, _file, _file_no,
        _record``; None where nothing can be broken.
    shared : DataFrame or None
        The frame that both come from. Persisted by the runner, it spares a second read of the source.
    around : context manager
        What is to hold while the rows are written: a source that is read only then keeps its connection in it, and
        gives its errors their codes.
    sound : callable, optional
        To be called when `shared` has been read whole, before anything is committed: raises where the source was
        another one meanwhile. None where it can't be.
    jobs : sequence of Job
        Rows that are not in `good`, which has their columns, but are written beside it into files of the table.
    by_spark : callable, optional
        Gives the same landing without jobs, for a table that takes no such files.
    """

    good: DataFrame
    broken: DataFrame | None
    shared: DataFrame | None = None
    around: AbstractContextManager[None] = field(default_factory=nullcontext)
    sound: Callable[[], None] | None = None
    jobs: Sequence[Job] = ()
    by_spark: Callable[[], Landing] | None = None


class Source(Protocol):
    """What a kind of source offers; see `lakeloom.sources.SOURCES`."""

    Config: ClassVar[type[BaseModel]]
    jars: ClassVar[tuple[str, ...]]
    needs_spark: ClassVar[bool]

    @classmethod
    def poll(
        cls, config: Any, landed: Sequence[Batch], clock: datetime, spark: Callable[[], SparkSession], base: Path
    ) -> Batch | None:
        """Return what is new against the batches already landed, None for nothing."""

    @classmethod
    def read(cls, spark: SparkSession, config: Any, batch: Batch, known: DataFrame | None, base: Path) -> Landing:
        """Read a batch; `known` is the source's bronze table, None before the first landing."""

    @classmethod
    def probe(cls, spark: SparkSession, config: Any, batch: Batch, base: Path) -> Batch:
        """After a failed landing: return the batch with what can't be read marked as a problem."""
