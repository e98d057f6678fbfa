"""The rows of a table that broke a rule, as entries of its quarantine table.

An entry has a name that people can give (`id`): a hash of its step and of the row's position, or of
the row itself where the transform kept no position. It is the same after a rebuild, so that what was
decided about a row holds on. Several rows that were made of one bronze row share its id; an entry is
told by (id, row).

Its state is ``open``, ``fixed`` (a fix waits for the replay), ``replayed`` or ``dropped``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.quality.judged import UNREAD
from lakeloom.tables.bronze import POSITION, Stamp, entry_id, undecided

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


# The columns of a frame whose rows are entries already: the entry's id, and the row as the transform made it.
ENTRY, ROW = "_entry", "_row"
KEYS = ("id", "row")
# How a frame's columns are called while it is joined to the rows that it was made of.
_AT, _RAW, _FROM = "_origin_position", "_origin_raw", "_origin_file"


def marked(frame: DataFrame, step: str) -> DataFrame:
    """Return a transform's rows with the entries that they would be: ``_entry`` (the id) and ``_row`` (as JSON)."""
    from pyspark.sql import functions as F

    rows = frame.withColumn(ROW, _json([name for name in frame.columns if not name.startswith("_")]))
    return rows.withColumn(ENTRY, entry_id(step, _place(frame), F.col(ROW)))


def rejected(
    broken: DataFrame, step: str, mark: Stamp, origin: DataFrame | None = None, *, code: str = ""
) -> DataFrame:
    """Return the entries of judged rows.

    Parameters
    ----------
    broken : DataFrame
        Rows with ``_reasons array<string>``; ``_position`` and ``_file`` where the transform kept them, ``_unread``
        where cleansing met values that it could not read, ``_entry`` and ``_row`` where `marked` has put them.
    origin : DataFrame, optional
        The bronze rows that the transform read, where all positions are those of one bronze table. What
        a cast turned to NULL still stands there.
    code : str
        Hash of the code and rules that the rows were judged by.

    Returns
    -------
    DataFrame
        id, position, raw (as JSON: the bronze row; where its origin is unknown the judged row, with what could not
        be read under ``_unread``), row (the judged row as JSON), bytes, reasons, file, step, epoch, run, at, code,
        and the columns of `undecided`.
    """
    from pyspark.sql import functions as F

    has = set(broken.columns)
    names = [name for name in broken.columns if not name.startswith("_")]
    row = F.col(ROW) if ROW in has else _json(names)
    place = _place(broken)
    entry = F.col(ENTRY) if ENTRY in has else entry_id(step, place, row)
    file = F.col("_file") if "_file" in has else F.lit(None).cast("string")
    raw = _json(names, unread=UNREAD in has)
    if origin is not None and "_position" in has:
        values = [name for name in origin.columns if not name.startswith("_")]
        rows = origin.select(F.col("_position").alias(_AT), _json(values).alias(_RAW), F.col("_file").alias(_FROM))
        broken = broken.join(rows, place == F.col(_AT), "left")
        raw, file = F.coalesce(F.col(_RAW), raw), F.coalesce(F.col(_FROM), file)
    return broken.select(
        *_entry(entry, place, raw, row, F.col("_reasons"), file),
        *_judged(step, mark, code),
        *undecided(),
    )


def kept_out(rows: DataFrame, step: str, mark: Stamp, input_: str = "", *, code: str = "") -> DataFrame:
    """Return the entries of bronze rows that a stream did not take.

    Parameters
    ----------
    rows : DataFrame
        With ``_position``, ``_file``, ``_said`` (the row as it came, as JSON) and ``_reasons``.
    input_ : str
        Which input they are of, where positions of several could meet.
    """
    from pyspark.sql import functions as F

    place, said = _place(rows), F.col("_said")
    return rows.select(
        *_entry(kept_out_id(rows, step, input_), place, said, said, F.col("_reasons"), F.col("_file")),
        *_judged(step, mark, code),
        *undecided(),
    )


def kept_out_id(rows: DataFrame, step: str, input_: str = "") -> Column:
    """Return the ids of the entries that bronze rows have where a stream does not take them; see `kept_out`."""
    said = rows["_said"] if "_said" in rows.columns else _json([name for name in rows.columns if name[:1] != "_"])
    return entry_id(f"{step} {input_}".strip(), _place(rows), said)


def _entry(entry: Column, place: Column, raw: Column, row: Column, reasons: Column, file: Column) -> list[Column]:
    from pyspark.sql import functions as F

    return [
        entry.alias("id"),
        place.alias("position"),
        raw.alias("raw"),
        row.alias("row"),
        F.lit(None).cast("binary").alias("bytes"),
        reasons.alias("reasons"),
        file.alias("file"),
    ]


def _judged(step: str, mark: Stamp, code: str) -> list[Column]:
    from pyspark.sql import functions as F

    return [
        F.lit(step).alias("step"),
        F.lit(mark.epoch).cast("bigint").alias("epoch"),
        F.lit(mark.run).alias("run"),
        F.lit(mark.clock).cast("timestamp").alias("at"),
        F.lit(code).alias("code"),
    ]


def _place(frame: DataFrame) -> Column:
    from pyspark.sql import functions as F

    return (F.col("_position") if "_position" in frame.columns else F.lit(None)).cast(POSITION)


def _json(names: list[str], *, unread: bool = False) -> Column:
    from pyspark.sql import functions as F

    # NULL is left out by to_json, an empty array is not.
    lost = [F.when(F.size(UNREAD) > 0, F.col(UNREAD)).alias(UNREAD)] if unread else []
    return F.to_json(F.struct(*[F.col(quoted(name)) for name in names], *lost))
