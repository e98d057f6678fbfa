"""Plain CSV → Arrow, on an executor: what Spark's reader would make of the same lines, without it.

Records are numbered as `lakeloom.sources.records` numbers them, by their split's first byte and their line in it, so
that a record keeps its number whichever way it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lakeloom.sources.columns import stored_name
from lakeloom.sources.ledger import FileEntry
from lakeloom.sources.listing import full_path
from lakeloom.sources.reading import Reading

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import DataType

# Below so many bytes Spark's own reader is done before a worker has started.
FROM_BYTES = 32 << 20
# Of a job, which makes one file of the table.
JOB_BYTES = 128 << 20
_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class Split:
    """A part of a file: the lines that start behind the first one's end at or after `start`, up to that after `end`.

    Attributes
    ----------
    place, path : str
        Where the bytes lie, and the file's name in the ledger.
    number : int
        The file's index in the batch.
    start, end : int
        Bytes.
    """

    place: str
    path: str
    number: int
    start: int
    end: int


@dataclass(frozen=True)
class PlainJob:
    """Splits that one task reads into one file of the table.

    Attributes
    ----------
    splits : tuple of Split
    columns : tuple of str
        The names of the raw columns, in the files' order.
    separator : str
    headed : bool
        Whether a file's first line is its names.
    """

    splits: tuple[Split, ...]
    columns: tuple[str, ...]
    separator: str
    headed: bool

    def tables(self) -> Iterator[pa.Table]:
        """Yield the records, block by block: the raw columns as text, ``_file``, ``_file_no int``, ``_record bigint``.

        Raises
        ------
        RuntimeError
            Where a file is not as plain as it was when it was inspected: it was rewritten meanwhile.
        """
        held, size = list[_Lines](), 0
        for split in self.splits:
            for lines in _read(split, headed=self.headed):
                held.append(lines)
                size += len(lines.text)
                if size >= _BLOCK_BYTES:
                    yield self._table(held)
                    held, size = [], 0
        if held:
            yield self._table(held)

    def _table(self, held: Sequence[_Lines]) -> pa.Table:
        import numpy as np
        import pyarrow as pa
        from pyarrow import csv

        text = pa.py_buffer(b"".join(lines.text for lines in held))
        try:
            found = csv.read_csv(
                pa.BufferReader(text),
                csv.ReadOptions(use_threads=False, block_size=text.size + 1, column_names=list(self.columns)),
                csv.ParseOptions(delimiter=self.separator, quote_char=False, ignore_empty_lines=False),
                csv.ConvertOptions(
                    check_utf8=False, column_types=dict.fromkeys(self.columns, pa.string()), null_values=[""],
                    strings_can_be_null=True,
                ),
            )  # fmt: skip
        except pa.ArrowInvalid:
            found = None  # whose words would quote the line
        if found is None or found.num_rows != sum(lines.count for lines in held):
            raise RuntimeError("a file of the batch is no longer the plain text that it was")
        counts = [lines.count for lines in held]
        names = {lines.split.path: lines.split.path for lines in held}
        index = {name: at for at, name in enumerate(names)}
        which = np.repeat(np.array([index[lines.split.path] for lines in held], "int32"), counts)
        file = pa.DictionaryArray.from_arrays(pa.array(which), pa.array(list(names), pa.string()))
        number = np.repeat(np.array([lines.split.number for lines in held], "int32"), counts)
        record = np.concatenate([np.arange(lines.first, lines.first + lines.count) for lines in held])
        return (
            found.append_column("_file", file)
            .append_column("_file_no", pa.array(number))
            .append_column("_record", pa.array(record, pa.int64()))
        )


def apart(files: Sequence[FileEntry], types: Mapping[str, str], stored: Mapping[str, DataType]) -> dict[int, FileEntry]:
    """Return the files, by their index, that are read here: none where all that could be is little.

    Parameters
    ----------
    types : mapping
        Declared Spark types by column.
    stored : mapping
        Those of the table that the rows go to, by name in small letters.
    """
    typed = {stored_name(name).lower() for name, kind in types.items() if kind.strip().lower() != "string"}
    typed |= {name for name, kind in stored.items() if kind.simpleString() != "string"}
    found = {
        index: entry
        for index, entry in enumerate(files)
        if entry.plain and entry.loadable and typed.isdisjoint(stored_name(name).lower() for name in entry.header or ())
    }
    return found if sum(entry.size for entry in found.values()) >= FROM_BYTES else {}


@dataclass(frozen=True)
class _Lines:
    """Whole lines of a split: their bytes, how many they are, and the first one's number."""

    split: Split
    text: bytes
    count: int
    first: int


def jobs(files: Mapping[int, FileEntry], reading: Reading, split_bytes: int, slots: int, base: Path) -> list[PlainJob]:
    """Divide plain files among tasks.

    Parameters
    ----------
    files : mapping
        Index in the batch → entry.
    split_bytes : int
        Size of a split, as the batch pins it.
    slots : int
        How many tasks there can be at a time.
    """
    separator, headed = reading.options.get("sep", ","), reading.options.get("header", "true") != "false"
    alike: dict[tuple[str, ...], list[Split]] = {}
    for index, entry in files.items():
        place = full_path(entry.place, base)
        columns = tuple(stored_name(name) for name in entry.header or ())
        for start in range(0, entry.size, split_bytes):
            end = min(start + split_bytes, entry.size)
            alike.setdefault(columns, []).append(Split(place, entry.path, index, start, end))
    total = sum(split.end - split.start for splits in alike.values() for split in splits)
    most = min(JOB_BYTES, max(1, -(-total // slots)))
    return [
        PlainJob(tuple(part), columns, separator, headed)
        for columns, splits in alike.items()
        for part in _parted(splits, most)
    ]


def _parted(splits: Iterable[Split], most: int) -> Iterator[list[Split]]:
    held, size = list[Split](), 0
    for split in splits:
        if held and size + (split.end - split.start) > most:
            yield held
            held, size = [], 0
        held.append(split)
        size += split.end - split.start
    if held:
        yield held


def _read(split: Split, *, headed: bool) -> Iterator[_Lines]:
    """Yield a split's lines in blocks of whole lines, but for the names in a file's first one."""
    with Path(split.place).open("rb") as file:
        file.seek(split.start)
        at, number = split.start, split.start
        if split.start or headed:  # another split's line, or the names
            at += len(file.readline())
            number += 0 if split.start else 1
        while at <= split.end and (text := _block(file, split.end - at)):
            at += len(text)
            text = text if text.endswith(b"\n") else text + b"\n"
            count = text.count(b"\n")
            yield _Lines(split, text, count, number)
            number += count


def _block(file: BinaryIO, left: int) -> bytes:
    """Return whole lines of some `_BLOCK_BYTES`, of those that start `left` bytes from here at the latest."""
    return file.read(min(_BLOCK_BYTES, left)) + file.readline()
