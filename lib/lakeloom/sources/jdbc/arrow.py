"""PostgreSQL's rows as Arrow: a part of a batch, read on an executor by its binary COPY, without a JVM.

It is what the driver's way gives, rows and marks, and quicker. Whatever is not known to be the same, and whatever goes
wrong, is left to the driver's way.

An error here has no words of the database's: only its SQL state.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from lakeloom.core.secrets import Secret
from lakeloom.sources.jdbc.hashing import row_hashes
from lakeloom.sources.jdbc.taken import Taken
from lakeloom.sources.landing import LeftToSparkError

if TYPE_CHECKING:
    import pyarrow as pa

# Classes of SQL states that a second try meets again: values, what is not supported, names and rights.
_SAME_AGAIN = ("22", "0A", "42", "28")
# As the driver's connections are set: what an SQL condition makes of times and numbers must not depend on the way.
_SESSION = ("SET TimeZone = 'UTC'", "SET DateStyle = 'ISO'", "SET extra_float_digits = 3")


@dataclass(frozen=True)
class Part:
    """What one task reads.

    Attributes
    ----------
    place : Secret
        The connection's words, see `lakeloom.sources.jdbc.libpq`.
    begin : tuple of str
        What the transaction begins with.
    query : str
        Its columns in the order of `columns`.
    columns : tuple of Taken
    file : str
        What stands in ``_file``.
    silence_s : int
        After how many seconds without an answer the line is given up; 0 for never.
    """

    place: Secret = field(repr=False)
    begin: tuple[str, ...]
    query: str = field(repr=False)
    columns: tuple[Taken, ...]
    file: str
    silence_s: int = 0

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows, some 16 MiB at a time: the raw columns, ``_file``, ``_file_no int`` and ``_record bigint``.

        Raises
        ------
        LeftToSparkError
            For a value that the driver's way makes something else of; `again` where the database refused or went away.
        """
        import pyarrow as pa

        first = (*_SESSION, *self.begin)
        with closing(_heard(lambda: _batches(self.place.reveal(), first, self.query), self.silence_s)) as batches:
            for batch in batches:
                values = [each.value(column) for each, column in zip(self.columns, batch.columns, strict=True)]
                named = dict(zip((each.name for each in self.columns), values, strict=True))
                count = batch.num_rows
                index = pa.repeat(pa.scalar(0, pa.int32()), count)
                yield pa.table(
                    named
                    | {
                        "_file": pa.DictionaryArray.from_arrays(index, pa.array([self.file])),
                        "_file_no": index,
                        "_record": pa.array(row_hashes(values)),
                    }
                )


def _heard(ask: Callable[[], Iterator[pa.RecordBatch]], silence_s: int) -> Generator[pa.RecordBatch]:
    """Yield what is answered; give up a line that is silent for too long.

    The wait is inside the driver, which has no limit of its own: it is done by a thread that is left to itself then.
    """
    heard, left = Queue[Any](2), threading.Event()

    def listen() -> None:
        last: Any = None
        try:
            for batch in ask():
                if not _put(heard, batch, left):
                    return
        except BaseException as cause:  # which is raised where it is heard
            last = cause
        _put(heard, last, left)

    threading.Thread(target=listen, name="postgresql", daemon=True).start()
    try:
        while True:
            try:
                found = heard.get(timeout=silence_s or None)
            except Empty:
                raise LeftToSparkError(f"the database was silent for {silence_s} seconds") from None
            if isinstance(found, BaseException):
                raise found
            if found is None:
                return
            yield found
    finally:
        left.set()


def _put(heard: Queue[Any], found: Any, left: threading.Event) -> bool:
    """Put an answer where it is heard; return False where nobody listens any more."""
    while not left.is_set():
        try:
            heard.put(found, timeout=1)
            return True
        except Full:
            continue
    return False


def _batches(place: str, first: tuple[str, ...], query: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a query's rows, within a transaction that begins with other words."""
    import pyarrow as pa

    try:
        import adbc_driver_manager as adbc
        import adbc_driver_postgresql as postgresql
    except ImportError:
        raise LeftToSparkError("adbc-driver-postgresql is not installed on a worker") from None
    try:
        with postgresql.connect(place) as database, adbc.AdbcConnection(database) as connection:
            connection.set_autocommit(False)
            for words in first:
                with adbc.AdbcStatement(connection) as statement:
                    statement.set_sql_query(words)
                    statement.execute_update()
            with adbc.AdbcStatement(connection) as statement:
                statement.set_sql_query(query)
                found, _ = statement.execute_query()
                with pa.RecordBatchReader._import_from_c(found.address) as reader:
                    yield from reader
    except adbc.Error as cause:
        # Not chained, and without its text: that may name host, user and values.
        state = cause.sqlstate or cause.status_code.name
        again = not state.startswith(_SAME_AGAIN)
        raise LeftToSparkError(f"the database could not be read [{state}]", again=again) from None
    except (OSError, pa.ArrowException):
        raise LeftToSparkError("the database could not be read to its end", again=True) from None


def available() -> bool:
    """Return whether the package is there that reads so: ``adbc-driver-postgresql``."""
    from importlib.util import find_spec

    return find_spec("adbc_driver_postgresql") is not None
