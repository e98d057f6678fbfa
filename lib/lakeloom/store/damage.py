"""What is broken in a table's folder: which file, in what way, and what to do about it; without a JVM.

Readers name a broken file in their own words or not at all, and an empty file of the log is a commit
of nothing to them: rows would be missing in silence. So the newest commits are looked at before a table
is read, and the rest of the log once a reader has failed.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lakeloom.core.errors import LakeloomError, StoreError
from lakeloom.core.names import LAYERS
from lakeloom.objects.path import Location
from lakeloom.store.arrow import folder
from lakeloom.store.away import away
from lakeloom.store.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deltalake import DeltaTable

# A commit is looked at as far back as the last checkpoint, and never further than this.
_MOST = 128
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint[\w.-]*\.parquet")
_MAGIC = b"PAR1"
# Rows, or a deletion vector.
_FILE = r"[\w.%+=-]+\.parquet|deletion_vector_[\w-]+\.bin"
_DATA = re.compile(_FILE)
_PLACE = re.compile(rf"/tables/({'|'.join(LAYERS)})/(\w+)/(?:[^\s'\"]*/)?({_FILE})")
# How pyarrow, deltalake's query engine and Spark say that a file is not there, or not what it should be.
_BROKEN = re.compile(
    r"(?i)magic (?:bytes|number)|parquet error|not a parquet file|corrupt|range was invalid|couldn't deserialize"
    r"|no such file|not found|does not exist"
    r"|FAILED_READ_FILE|CANNOT_READ_FILE_FOOTER|FILE_NOT_EXIST|DELTA_FILE_NOT_FOUND"
)


def empty_commit(log: Listing, version: int) -> str | None:
    """Return the name of an empty file among the commits up to `version`, back to the last checkpoint."""
    for each in range(version, max(-1, version - _MOST), -1):
        file = log.get(f"{each:020d}.json")
        if file is None:  # a checkpoint stands for it, or the reader has said that it is not there
            return None
        if file.size == 0:
            return f"{each:020d}.json"
        if f"{each:020d}.checkpoint.parquet" in log:
            return None
    return None


def broken_log(log: Location) -> tuple[str, str] | None:
    """Return the first broken file of a log and what is wrong with it: unreadable, empty or missing; None for none."""
    names = sorted(entry.name for entry in log.iterdir()) if log.is_dir() else []
    checkpoints = [name for name in names if _CHECKPOINT.fullmatch(name)]
    for name in reversed(checkpoints):
        if not _is_parquet(log / name):
            return name, "is no Parquet file"
    start = max((int(name[:20]) for name in checkpoints), default=-1)
    hinted = _hint(log)
    if hinted is not None and hinted > start:
        return f"{hinted:020d}.checkpoint.parquet", "is missing"
    commits = [int(found[1]) for name in names if (found := _COMMIT.fullmatch(name))]
    newest = max(commits, default=-1)
    known = set(commits)
    for version in range(newest, start, -1):
        name = f"{version:020d}.json"
        if version not in known:
            return name, "is missing"
        wrong = _wrong(log / name)
        if wrong:
            return name, wrong
    return next(((name, wrong) for name in names if _COMMIT.fullmatch(name) and (wrong := _wrong(log / name))), None)


def broken_data(text: str) -> str | None:
    """Return the name of the data file that an error's text says can't be read; None where it says no such thing."""
    found = _DATA.search(text)
    return found.group() if found and _BROKEN.search(text) else None


def of_a_table(text: str) -> StoreError | None:
    """Return the error for a table's data file that an engine's text names by its path; None for another text."""
    if not _BROKEN.search(text):
        return None
    # Spark names the file whose rows it read, and below it the deletion vector that it did not find.
    places = sorted(_PLACE.finditer(text), key=lambda place: not place[3].endswith(".bin"))
    return damaged_data(f"{places[0][1]}.{places[0][2]}", places[0][3]) if places else None


def damaged_log(table: str, file: str, wrong: str) -> StoreError:
    """Return LL-STORE-005 for a file of a table's log."""
    if "checkpoint" in file:
        fix = f"delete {file} and _last_checkpoint from its _delta_log, where all commits from 0 on are there"
    else:
        fix = f"bring {file} back from a copy{_anew(table, ', or move the folder away and build the table anew')}"
    return StoreError("LL-STORE-005", f"the log of {table} is damaged: {file} {wrong}", where=table, fix=fix)


def damaged_data(table: str, file: str) -> StoreError:
    """Return LL-STORE-005 for a data file of a table."""
    return StoreError(
        "LL-STORE-005",
        f"{file} of {table} is damaged or gone",
        where=table,
        fix=f"bring {file} back from a copy{_anew(table, ', or build the table anew')}",
    )


@contextmanager
def named(table: object, opened: DeltaTable) -> Iterator[None]:
    """Turn what a reader raises of a broken file of a table into LL-STORE-005, of a broken line into LL-SOURCE-001."""
    try:
        yield
    except LakeloomError:
        raise
    except Exception as cause:  # pyarrow, arro3 and deltalake each have their own, down to a bare Exception
        gone = away(str(cause), str(table))
        if gone is not None:
            raise gone from None
        file = broken_data(str(cause)) or (_other_size(opened) if _BROKEN.search(str(cause)) else None)
        if file is None:
            raise
        raise damaged_data(str(table), file) from cause


def _other_size(opened: DeltaTable) -> str | None:
    """Return the name of a data file that is not as long as the log says; readers don't always name it."""
    if not opened.table_uri.startswith(("file://", "/")):
        return None
    files = opened.get_add_actions(flatten=True)
    base = Path(folder(opened))
    for path, size in zip(files.column("path").to_pylist(), files.column("size_bytes").to_pylist(), strict=True):
        file = base / unquote(path)
        if not file.is_file() or file.stat().st_size != size:
            return file.name
    return None


def _anew(table: str, words: str) -> str:
    return f"{words}: lakeloom run {table} --full-refresh" if table.startswith(("silver.", "gold.")) else ""


def _wrong(file: Location) -> str:
    """Return what is wrong with a file of a commit, empty for nothing."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        if not lines:
            return "is empty"
        for line in lines:
            json.loads(line)
    except (ValueError, OSError):
        return "is not JSON"
    return ""


def _is_parquet(file: Location) -> bool:
    with file.open("rb") as stream:
        head = stream.read(4)
        size = stream.seek(0, 2)
        if size < 12:
            return False
        stream.seek(-8, 2)
        length, tail = int.from_bytes(stream.read(4), "little"), stream.read(4)
    return head == tail == _MAGIC and 0 < length <= size - 12


def _hint(log: Location) -> int | None:
    try:
        return int(json.loads((log / "_last_checkpoint").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):  # readers do without it
        return None
