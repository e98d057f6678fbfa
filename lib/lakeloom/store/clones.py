"""Tables that share their data files with others: clones of a version, and whole logs in another root.

A data file is never written again once it is committed, so a hard link of it is as good as a copy and
takes no room: each table has its own names for the same bytes. What either deletes is gone for it alone;
the bytes go with their last name. So a clone needs no pin in the table that it was made of, and vacuum
knows nothing of clones.

Source: the Delta transaction log protocol.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.objects.path import ObjectPath
from lakeloom.store.intents import folder_of, write_once
from lakeloom.store.lake import Lake
from lakeloom.store.log import snapshot, vector_file
from lakeloom.store.protocol import unknown
from lakeloom.store.vacuum import inventory

_COMMIT = re.compile(r"(\d{20})\.json")
_OF_A_VERSION = re.compile(r"(\d{20})\.(?:json|crc|checkpoint[\w.-]*parquet)")


@dataclass(frozen=True)
class Laid:
    """How much a clone holds: files, and their bytes."""

    files: int
    bytes: int


def clone(
    lake: Lake, source: TableName, version: int, target: TableName, manifest: Mapping[str, Any], *, full: bool = False
) -> Laid:
    """Make `target` of the rows that `source` had at `version`: a table of its own, whose history begins there.

    It appears whole.

    Parameters
    ----------
    manifest : mapping
        What its first commit says of itself.
    full : bool
        Copy the files instead of sharing them.

    Raises
    ------
    StoreError
        LL-STORE-018 where the target exists or the table has a feature that a clone can't keep, LL-STORE-019 where
        files can't be shared there.
    """
    if lake.exists(target):
        raise _refused(target, f"{target} exists already", "take another name")
    found = snapshot(lake, source, version)
    if unknown(found):
        named = ", ".join(sorted(unknown(found)))
        raise _refused(source, f"{source} has features that a clone can't keep: {named}", "write its rows by a step")
    files = [unquote(add["path"]) for add in found.adds.values() if "://" not in add["path"]]
    marks = {mark for add in found.adds.values() if (mark := vector_file(add.get("deletionVector"))) is not None}
    names = list(dict.fromkeys([*files, *sorted(marks)]))
    text = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in _first(found, target, manifest))
    lay = _laid_in_store if full and isinstance(lake.root, ObjectPath) else _laid
    return Laid(len(names), lay(lake, source, target, names, text, full=full))


def _laid(lake: Lake, source: TableName, target: TableName, names: Sequence[str], text: str, *, full: bool) -> int:
    """Lay out a clone in a draft, and give it its name; return its bytes."""
    draft = folder_of(lake.root / "drafts" / f"{target}-{uuid.uuid4().hex}")
    root, place = folder_of(lake.folder(source)), folder_of(lake.folder(target))
    try:
        size = sum(_placed(root / name, draft / name, full=full) for name in names)
        log = draft / "_delta_log"
        log.mkdir(parents=True)
        (log / f"{0:020d}.json").write_text(text, encoding="utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return size


def _laid_in_store(
    lake: Lake, source: TableName, target: TableName, names: Sequence[str], text: str, *, full: bool
) -> int:
    """Copy a clone's files; it is a table from its first commit on, which comes last and whole."""
    del full
    root, place, size = lake.folder(source), lake.folder(target), 0
    assert isinstance(place, ObjectPath)
    for name in names:
        content = (root / name).read_bytes()
        place.store.put((place / name).key, content)
        size += len(content)
    write_once(place / "_delta_log" / f"{0:020d}.json", text)
    return size


def share(lake: Lake, table: TableName, version: int, other: Lake) -> Laid:
    """Give another root the table as it was at `version`, with all of its log until then and the same numbers.

    Commits and data files are shared; checkpoints and what else a writer may write over are copied.

    Raises
    ------
    StoreError
        LL-STORE-019 where files can't be shared there.
    """
    root, target = folder_of(lake.folder(table)), folder_of(other.folder(table))
    (target / "_delta_log").mkdir(parents=True)
    for entry in sorted((root / "_delta_log").iterdir()):
        of = _OF_A_VERSION.fullmatch(entry.name)
        if of is not None and int(of.group(1)) <= version:
            _placed(entry, target / "_delta_log" / entry.name, full=_COMMIT.fullmatch(entry.name) is None)
    files = inventory(lake, table)
    made: set[Path] = set()
    for name in files:
        place = target / name
        if place.parent not in made:
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        _linked(root / name, place)
    return Laid(len(files), sum(file.size for file in files.values()))


def share_folder(source: Path, target: Path) -> None:
    """Give `target` the files of a folder whose files are never written in place; raises LL-STORE-019."""

    def link(one: str, other: str) -> str:
        _linked(Path(one), Path(other))
        return other

    shutil.copytree(source, target, copy_function=link)


def _placed(source: Path, target: Path, *, full: bool) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    if full:
        shutil.copy2(source, target)
    else:
        _linked(source, target)
    return target.stat().st_size


def _linked(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError as cause:
        if cause.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EOPNOTSUPP):
            raise
        raise StoreError(
            "LL-STORE-019",
            f"files can't be shared under this storage root ({cause.strerror})",
            where=str(target.parent),
            fix="copy a table with 'lakeloom clone --full', or keep the root on one file system with hard links",
        ) from cause


def _first(found: Any, target: TableName, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the actions of a clone's first commit."""
    at = int(time.time() * 1000)
    told = {name: value for name, value in found.metadata.items() if value is not None}
    told |= {"id": str(uuid.uuid4()), "name": str(target), "createdTime": at}
    info = {
        "timestamp": at,
        "operation": "CLONE",
        "operationParameters": {},
        "isBlindAppend": False,
        "operationMetrics": {"numOutputRows": "0", "numCopiedFiles": str(len(found.adds))},
        "userMetadata": json.dumps(manifest, sort_keys=True),
        "engineInfo": "lakeloom",
    }
    adds = [
        {name: value for name, value in add.items() if value is not None} | {"dataChange": True}
        for add in found.adds.values()
    ]
    protocol = {name: value for name, value in found.protocol.items() if value is not None}
    domains = [{"domainMetadata": domain} for domain in found.domains.values()]
    return [
        {"commitInfo": info},
        {"protocol": protocol},
        {"metaData": told},
        *domains,
        *({"add": add} for add in adds),
    ]


def _refused(table: TableName, message: str, fix: str) -> StoreError:
    return StoreError("LL-STORE-018", message, where=str(table), fix=fix)
