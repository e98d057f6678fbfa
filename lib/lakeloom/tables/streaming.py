"""What ``stream:`` of a table may say: how long rows may be late, what is given out, how often it goes on.

A streaming table is made by Spark's Structured Streaming: what its query remembers of earlier rows (open
windows, rows that wait for their partner, keys that were seen) is kept between executions. Everything
else is as for other tables: inputs are pinned, an execution is one intent, its rows are judged,
quarantined, written and audited in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lakeloom.core.durations import Duration
from lakeloom.core.names import quoted
from lakeloom.tables.words import DurationText, Strict

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Why a row does not enter a stream: its event is older than what the stream may still wait for, or has no time.
LATE, TIMELESS = "late", "no event time"
# How rows may go into the table of each output: a row of `append` is final, one of `update` replaces its key's last.
WRITES = {"append": ("append", "merge", "scd2", "scd4"), "update": ("merge",)}


class WatermarkSpec(Strict):
    """How long a stream waits for the rows of an input.

    Attributes
    ----------
    column : str
        When a row's event happened: a timestamp, or text or a date that is read as one.
    delay : Duration
        A row whose event is older than the newest one of earlier executions by more than this is late.
    """

    column: str
    delay: DurationText


class StreamSpec(Strict):
    """A table that is made by a streaming query.

    Attributes
    ----------
    watermarks : dict
        Input, read as ``new`` → its watermark.
    output : {'append', 'update'}
        ``append``: rows that will not change any more, such as closed windows. ``update``: what changed, at once;
        the table is merged by its keys.
    static : {'rebuild', 'forward'}
        Whether a new version of an input read ``whole`` builds the table anew, or is joined from the next new rows
        on.
    every : Duration, optional
        How often ``lakeloom watch`` goes on with the table.
    """

    watermarks: dict[str, WatermarkSpec] = {}
    output: Literal["append", "update"] = "append"
    static: Literal["rebuild", "forward"] = "rebuild"
    every: DurationText | None = None

    @property
    def meaning(self) -> StreamSpec:
        """What acts on rows: without what only says when to go on, or when to build anew."""
        return self.model_copy(update={"every": None, "static": "rebuild"})


def timed(frame: DataFrame, watermark: WatermarkSpec | None) -> DataFrame:
    """Return an input's rows with their event time as a timestamp; what can't be read as one is NULL."""
    from pyspark.sql import functions as F

    if watermark is None or dict(frame.dtypes).get(watermark.column) in (None, "timestamp"):
        return frame
    return frame.withColumn(watermark.column, F.col(quoted(watermark.column)).try_cast("timestamp"))


def delayed(frame: DataFrame, watermark: WatermarkSpec | None) -> DataFrame:
    """Return a streaming frame with its watermark."""
    if watermark is None:
        return frame
    return frame.withWatermark(watermark.column, _interval(watermark.delay))


def _interval(delay: Duration) -> str:
    return f"{delay.seconds} seconds"
