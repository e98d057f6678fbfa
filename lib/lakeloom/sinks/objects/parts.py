"""A task's rows → objects: written to a file on the executor, a partition after the other, and put by the cloud's SDK.

Rows come in the order of their partition, so that a task has one file open at a time. A name holds a hash of the
content: what a killed execution put there already is not put again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.objects.opened import Opening
from lakeloom.objects.transfer import Rate, retried
from lakeloom.sinks.objects.config import ObjectsConfig
from lakeloom.sinks.objects.files import Written
from lakeloom.sinks.objects.forms import WHERE
from lakeloom.sinks.objects.layout import Part, partition

if TYPE_CHECKING:
    import pyarrow as pa

TOLD = "key string, rows bigint, size_bytes bigint, md5 string"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Putting:
    """All that a task needs to put its rows.

    Attributes
    ----------
    prefix, stem : str
        The folder's key in the bucket, with a slash at the end; what the objects' names begin with.
    there : frozenset of str
        Keys below the folder that an interrupted execution of the same has put.
    beside : int
        So many tasks share the bandwidth.
    """

    opening: Opening
    config: ObjectsConfig
    prefix: str
    stem: str
    there: frozenset[str]
    beside: int

    def put(self, file: Path, key: str) -> None:
        """Put a file under a key below the folder, again where the line broke."""
        limit = self.opening.config.bandwidth
        Rate(limit // self.beside if limit else None).take(file.stat().st_size)
        store = self.opening.writing()
        retried(lambda: store.upload(self.prefix + key, file))


def putter(putting: Putting) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function for ``mapInArrow``: the rows of a task in, a row for each object out (`TOLD`)."""

    def run(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa
        from pyspark import TaskContext

        context = TaskContext.get()
        task = context.partitionId() if context is not None else 0
        for part in put(batches, putting, task):
            yield pa.RecordBatch.from_pylist([vars(part)])

    return run


def put(batches: Iterable[pa.RecordBatch], putting: Putting, task: int) -> Iterator[Part]:
    """Put rows as objects and yield what was put."""
    with tempfile.TemporaryDirectory(prefix="lakeloom-export-") as made:
        file = Path(made) / "rows"
        open_: Written | None = None
        folder, number = "", 0
        for where, batch in _by_partition(batches):
            here = partition(putting.config.partition_by, json.loads(where))
            if open_ is not None and (here != folder or open_.size >= putting.config.size):
                yield _ended(open_, putting, folder, task, number)
                open_, number = None, number + 1
            folder = here
            if open_ is None:
                open_ = Written(file, batch.schema, putting.config)
            open_.take(batch)
        if open_ is not None:
            yield _ended(open_, putting, folder, task, number)


def put_nothing(schema: pa.Schema, putting: Putting) -> Part:
    """Put one object without a row, so that a reader of an empty table meets its columns."""
    with tempfile.TemporaryDirectory(prefix="lakeloom-export-") as made:
        kept = schema.remove(schema.get_field_index(WHERE))
        return _ended(Written(Path(made) / "rows", kept, putting.config), putting, "", 0, 0)


def _ended(written: Written, putting: Putting, folder: str, task: int, number: int) -> Part:
    written.close()
    size, digest = written.place.stat().st_size, hashlib.md5(usedforsecurity=False)
    with written.place.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    md5 = digest.hexdigest()
    key = f"{folder}{putting.stem}-{task:05d}-{number:03d}-{md5[:8]}{putting.config.ending}"
    if key not in putting.there:
        putting.put(written.place, key)
    written.place.unlink()
    return Part(key, written.rows, size, md5)


def _by_partition(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield the rows cut where their partition changes, without the column that says it."""
    from pyarrow import compute

    for batch in batches:
        if not batch.num_rows:
            continue
        at = batch.schema.get_field_index(WHERE)
        names = [name for name in batch.schema.names if name != WHERE]
        runs = compute.run_end_encode(batch.column(at))
        start, rows = 0, batch.select(names)
        for where, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield where, rows.slice(start, end - start)
            start = end
