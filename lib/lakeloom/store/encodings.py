"""How the columns of Parquet files are encoded: a writer of the same rows need not try again what was given up.

Parquet's writer begins a column with a dictionary of its values, and gives it up where they are too many: for
numbers, hashes and free text that is a quarter of the time that writing takes.

Source: the Parquet format's encodings; ``parquet.enable.dictionary#column`` of parquet-java.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.objects.path import Location

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def undictionaried(file: Location) -> list[str]:
    """Return the columns of a Parquet file, by their paths, that have no dictionary or gave it up midway.

    Nothing of a file that can't be read here: another writer's may be of a newer form, and a damaged one is for
    Spark to name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.ParquetFile(file if isinstance(file, Path) else file.open("rb")).metadata
    except (pa.ArrowException, OSError):
        return []
    if not found.num_row_groups:
        return []
    group = found.row_group(0)
    columns = [group.column(at) for at in range(group.num_columns)]
    # The first version of the format writes the dictionary itself as PLAIN_DICTIONARY: PLAIN is a page of values.
    return [column.path_in_schema for column in columns if "PLAIN" in column.encodings]


@contextmanager
def without_dictionary(session: SparkSession, files: Collection[Location]) -> Iterator[None]:
    """Let what is written inside try no dictionary for columns of which the largest of the files has none."""
    there = [file for file in files if file.exists()]
    given = undictionaried(max(there, key=lambda file: file.stat().st_size)) if there else []
    words = [f"parquet.enable.dictionary#{path}" for path in given]
    for word in words:
        session.conf.set(word, "false")
    try:
        yield
    finally:
        for word in words:
            session.conf.unset(word)
