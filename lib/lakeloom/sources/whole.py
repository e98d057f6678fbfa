"""A batch of files → its landing: sound records, broken records, and bad files whole with their bytes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.sources.columns import stored_name
from lakeloom.sources.formats.base import Format, format_of
from lakeloom.sources.landing import BROKEN, Landing
from lakeloom.sources.ledger import CHANGED, FileEntry
from lakeloom.sources.listing import full_path, spark_path, uri
from lakeloom.sources.packing import packed
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import MARKS, RAW, REASONS, Group, pin_splits
from lakeloom.sources.scanners import LARGEST_VALUE_BYTES
from lakeloom.sources.typed import stored_types, typed, union

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import DataType

_MAPPED_FILES = 64
Place = tuple[str, int, str | None]  # full path → index in the batch, problem


def landing(
    spark: SparkSession,
    reading: Reading,
    types: Mapping[str, str],
    files: Sequence[FileEntry],
    split_bytes: int,
    base: Path,
    known: DataFrame | None = None,
    apart: Container[int] = (),
) -> Landing:
    """Return what the files hold; `FileEntry.duplicate_of` ones are passed over.

    Parameters
    ----------
    types : mapping
        Declared Spark types by column.
    files : sequence of FileEntry
        The batch's files; their index is ``_file_no``.
    split_bytes : int
        Size of a split, as the batch pins it.
    known : DataFrame, optional
        The table that the rows go to: its types are kept.
    apart : container of int
        Files, by their index, whose rows are read elsewhere, as text: there are their columns alone.
    """
    from pyspark.sql import functions as F

    pin_splits(spark, split_bytes)
    bad = {index: entry for index, entry in enumerate(files) if entry.problem is not None}
    broken = [_whole(spark, bad, base)] if bad else []
    loadable = {index: entry for index, entry in enumerate(files) if entry.loadable}
    if not loadable:
        declared = [f"{quoted(stored_name(name))} {kind}" for name, kind in types.items()]
        nothing = spark.createDataFrame([], ", ".join([*declared, "_file string", "_file_no int", "_record bigint"]))
        return Landing(nothing, broken[0] if broken else None)
    format_, stored = format_of(reading.format), stored_types(known)
    alike = grouped(loadable.values(), reading, base)
    elsewhere = {full_path(entry.place, base) for index, entry in loadable.items() if index in apart}
    if elsewhere:
        loadable = {index: entry for index, entry in loadable.items() if index not in apart}
        alike = [Group(tuple(each for each in group.paths if each not in elsewhere), group.header) for group in alike]
        if not loadable:
            rows = union([_empty(spark, group.header) for group in alike])
            good = rows.drop(*MARKS).selectExpr("*", "'' AS _file", "0 AS _file_no", "0L AS _record")
            return Landing(good, broken[0] if broken else None)
    read = [
        format_.read(spark, group, reading, _hints(group, format_, stored) | dict(types))
        if group.paths
        else _empty(spark, group.header)
        for group in alike
    ]
    groups = [
        typed(frame, types, stored, dates=format_.dated(group.header)) for group, frame in zip(alike, read, strict=True)
    ]
    breaks = format_.breaks or any(cast is not frame for cast, frame in zip(groups, read, strict=True))
    # What is sound needs its text no more; kept with each row it would double what a landing holds.
    rows = union(groups).withColumn(RAW, F.when(F.size(REASONS) > 0, F.col(RAW)))
    shared = packed(_placed(spark, rows, loadable, base), [entry.size for entry in loadable.values()], split_bytes)
    raw = [quoted(name) for name in shared.columns if name not in (*MARKS, "_file", "_file_no")]
    good = shared.where("size(_reasons) = 0").select(*raw, "_file", "_file_no", "_record")
    if breaks:
        records = shared.where("size(_reasons) > 0").select(
            F.col(RAW).alias("raw"),
            F.lit(None).cast("binary").alias("bytes"),
            F.col("_reasons").alias("reasons"),
            "_file",
            "_file_no",
            "_record",
        )
        broken.append(records)
    return Landing(good, union(broken) if broken else None, shared)


def _empty(spark: SparkSession, header: Iterable[str]) -> DataFrame:
    """Return no record of such columns, each a text."""
    raw = [f"{quoted(stored_name(name))} string" for name in header]
    marks = ["_path string", "_record bigint", f"{RAW} string", f"{REASONS} array<string>"]
    return spark.createDataFrame([], ", ".join([*raw, *marks]))


def _hints(group: Group, format_: type[Format], stored: Mapping[str, DataType]) -> dict[str, str]:
    """Return what the columns of a group are stored as: an element that once repeated is read as a list."""
    names = {format_.field(name.partition("\t")[0]) for name in group.header}
    known = {name: stored.get(stored_name(name).lower()) for name in names}
    return {name: kind.simpleString() for name, kind in known.items() if kind is not None}


def grouped(files: Iterable[FileEntry], reading: Reading, base: Path) -> list[Group]:
    """Return the files in groups of equal columns.

    Files are read by their own header. Where each record names its fields (JSON, XML), files are read
    together under the union of their fields, unless two differ in case only.
    """
    format_ = format_of(reading.format)
    found: dict[tuple[str, ...], list[str]] = {}
    for entry in files:
        found.setdefault(entry.header or (), []).append(full_path(entry.place, base))
    if not format_.names_in_records:
        return [Group(tuple(paths), header) for header, paths in found.items()]
    groups: list[tuple[dict[str, str], list[str]]] = []
    for header, paths in found.items():
        fields = {format_.field(name): name for name in header}
        for taken, members in groups:
            if len({name.lower() for name in (*taken, *fields)}) == len({*taken, *fields}):
                for name, as_seen in fields.items():
                    taken[name] = as_seen if as_seen != name else taken.get(name, as_seen)
                members += paths
                break
        else:
            groups.append((dict(fields), list(paths)))
    return [Group(tuple(members), tuple(taken.values())) for taken, members in groups]


def _placed(spark: SparkSession, frame: DataFrame, files: Mapping[int, FileEntry], base: Path) -> DataFrame:
    """Add ``_file`` and ``_file_no`` by ``_path``."""
    from pyspark.sql import functions as F

    places = [(uri(full_path(entry.place, base)), entry.path, index) for index, entry in files.items()]
    if len(places) > _MAPPED_FILES:
        table = spark.createDataFrame(places, "_path string, _file string, _file_no int")
        return frame.join(F.broadcast(table), "_path", "left")
    at: list[Column] = []
    for place, path, index in places:
        at += [F.lit(place), F.struct(F.lit(path).alias("file"), F.lit(index).alias("no"))]
    found = F.try_element_at(F.create_map(*at), F.col("_path"))
    return frame.select("*", found.getField("file").alias("_file"), found.getField("no").alias("_file_no"))


def _whole(spark: SparkSession, bad: Mapping[int, FileEntry], base: Path) -> DataFrame:
    """Return bad files as rows for quarantine, with their bytes where they are still those that were listed."""
    from pyspark.sql import functions as F

    kept = [index for index, entry in bad.items() if entry.problem != CHANGED and 0 < entry.size <= LARGEST_VALUE_BYTES]
    rows = [(index, entry.path, [_reason(entry)], not entry.size) for index, entry in bad.items()]
    told = spark.createDataFrame(rows, "_file_no int, _file string, reasons array<string>, _empty boolean")
    columns = [name.strip().split(" ")[0] for name in BROKEN.split(",")]
    if kept:
        paths = [spark_path(full_path(bad[index].place, base)) for index in kept]
        read = spark.read.format("binaryFile").load(paths)
        content = _placed(
            spark, read.select(F.col("_metadata.file_path").alias("_path"), "content"), {i: bad[i] for i in kept}, base
        ).select("_file_no", F.col("content").alias("bytes"))
        told = told.join(content, "_file_no", "left")
    else:
        told = told.withColumn("bytes", F.lit(None).cast("binary"))
    told = told.withColumn("raw", F.lit(None).cast("string")).withColumn("_record", F.lit(0).cast("bigint"))
    # Spark reads no row from a file of no bytes.
    told = told.withColumn("bytes", F.when(F.col("_empty"), F.expr("X''")).otherwise(F.col("bytes"))).drop("_empty")
    return told.select(*columns)


def _reason(entry: FileEntry) -> str:
    too_large = entry.size > LARGEST_VALUE_BYTES
    return f"{entry.problem}{'; too large to keep, it stays where it lies' if too_large else ''}"
