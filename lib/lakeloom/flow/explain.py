"""Any exception → a coded error without a row's values: the cause is named by its kind and class."""

from __future__ import annotations

import errno
import re

from lakeloom.core.errors import CleansingError, LakeloomError, RunError, StoreError, TableError
from lakeloom.core.extras import missing
from lakeloom.store.away import away
from lakeloom.store.damage import of_a_table

# Spark's error classes name what went wrong; the text behind them may quote a value.
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")
# What only says that a query has ended: the reason stands behind it.
_AROUND = ("STREAM_FAILED", "FOREACH_BATCH_USER_FUNCTION_ERROR")
_CASTS = (
    "CAST_INVALID_INPUT",
    "CAST_OVERFLOW",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "DIVIDE_BY_ZERO",
    "CANNOT_PARSE_TIMESTAMP",
)
# What a cleansing verb raises inside Spark: its own words, which name columns and never values.
_CLEANSING = re.compile(r"\[USER_RAISED_EXCEPTION\] (LL-CLEAN-00[34]): (.{1,200}?)(?: SQLSTATE|\n|$)")
_CLEANSING_FIX = {
    "LL-CLEAN-003": (
        "a value is incompatible, and the verb says fail: ",
        "mend the data, or say otherwise: quarantine",
    ),
    "LL-CLEAN-004": ("", "take a finer block, raise at_most, or say oversize: skip"),
}
# What the system says of a place that can't be written: by number in Python, by text from the JVM.
_NO_PLACE = (errno.EACCES, errno.EROFS, errno.ENOSPC, errno.ENOTDIR, errno.EDQUOT, errno.EFBIG)
_UNWRITABLE = re.compile(
    r"Mkdirs failed to create|No space left on device|Read-only file system|ParentNotDirectory"
    r"|File too large|Disk quota exceeded"
)
# What Delta says where another writer's commit came between reading and writing.
_CONCURRENT = re.compile(
    r"DELTA_CONCURRENT_\w+|DELTA_METADATA_CHANGED|DELTA_PROTOCOL_CHANGED|MetadataChangedException"
    r"|ProtocolChangedException|Concurrent(?:Append|Write|DeleteRead|DeleteDelete|Transaction)Exception"
)
# The JVM below, or the server of Spark Connect, is no longer the one that the step began with.
_GONE = ("Py4JNetworkError", "RetriesExceeded")
_LOST = re.compile(r"NO_ACTIVE_SESSION|INVALID_HANDLE\.|INVALID_CURSOR\.|StatusCode\.UNAVAILABLE")


def explained(cause: BaseException, where: str) -> LakeloomError:
    """Return `cause` as a coded error at the step `where`."""
    if isinstance(cause, LakeloomError):
        cause.where = cause.where or where
        return cause
    lacking = missing(cause, where)
    if lacking is not None:
        return lacking
    gone = away(str(cause), where)
    if gone is not None:
        return gone
    broken = of_a_table(str(cause))
    if broken is not None:
        return broken
    if (isinstance(cause, OSError) and cause.errno in _NO_PLACE) or _UNWRITABLE.search(str(cause)):
        return StoreError(
            "LL-STORE-004",
            f"the step could not write its files ({type(cause).__name__})",
            where=where,
            fix="free the disk or mend the rights of the storage root, then run again",
        )
    if _CONCURRENT.search(str(cause)):
        return StoreError(
            "LL-STORE-010",
            "another writer changed the table while the step wrote it",
            where=where,
            fix="run again; see 'lakeloom history' for who else writes it",
            transient=True,
        )
    if type(cause).__name__ in _GONE or _LOST.search(str(cause)):
        return RunError(
            "LL-RUN-009",
            f"Spark went away while the step ran ({type(cause).__name__})",
            where=where,
            fix="see why it ended (memory, the server's log), then run again",
        )
    verb = _CLEANSING.search(str(cause))
    if verb is not None:
        words, fix = _CLEANSING_FIX[verb.group(1)]
        return CleansingError(verb.group(1), f"{words}{verb.group(2)}", where=where, fix=fix)
    condition = condition_of(cause)
    if condition.startswith(_CASTS):
        return TableError(
            "LL-TABLE-005",
            f"a value can't be cast ({condition})",
            where=where,
            fix="use try_cast and a rule, so that the row goes to quarantine",
        )
    return RunError(
        "LL-RUN-004",
        f"the step raised {type(cause).__name__}" + (f" ({condition})" if condition else ""),
        where=where,
        fix="see 'lakeloom logs' for where, or run with --debug for the traceback",
    )


def condition_of(cause: BaseException) -> str:
    """Return the class of error by which Spark names what went wrong, empty where it names none."""
    named = (found.group(1) for found in _CONDITION.finditer(str(cause)))
    return next((each for each in named if each not in _AROUND), "")
