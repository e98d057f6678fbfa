"""A table's Delta log, read as it stands: which files are live, what each commit did, when files came and went.

delta-rs tells sizes and statistics of one version; upkeep needs more: the rows that deletion vectors
have taken out, the files of all versions at once, and whether a commit changed any row. All of it is
in the log's JSON commits and Parquet checkpoints, and no JVM is started for it.

Source: the Delta transaction log protocol.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.objects.path import Location
from lakeloom.store.lake import Lake

END = 1 << 62  # until when a live file is there
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet")
_ADD = ("path", "size", "modificationTime", "partitionValues", "stats", "deletionVector")
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_TO_B85 = str.maketrans(_Z85, _B85)


@dataclass(frozen=True)
class LiveFile:
    """A data file of a version.

    Attributes
    ----------
    modified_ms : int
        When it was written, in milliseconds since 1970.
    rows, deleted : int
        The rows in it, and those that its deletion vector takes out; 0 rows where the statistics don't tell.
    partition : str
        Its partition's values, as one text.
    """

    path: str
    size: int
    modified_ms: int
    rows: int
    deleted: int
    partition: str


@dataclass
class Past:
    """All that a log says about files and versions.

    Attributes
    ----------
    begin, head : int
        The oldest version that the log can still build, and the newest.
    spans : dict
        File, relative to the table → (from, until) of the versions that need it, ``until`` not among them.
    feeds : dict
        File of row changes → the version whose changes it holds.
    times : dict
        Version → when it was committed, in milliseconds since 1970; never earlier than the version before.
    """

    begin: int = 0
    head: int = -1
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    feeds: dict[str, int] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)


@dataclass
class Snapshot:
    """A version as the log says it: the actions that it is made of.

    Attributes
    ----------
    protocol, metadata : dict
        The ones that hold.
    adds : dict
        (path, deletion vector) → what the log says of the file.
    domains : dict
        Name → what a feature of the table keeps in the log, such as the columns of clustering.
    """

    protocol: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    adds: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    domains: dict[str, dict[str, Any]] = field(default_factory=dict)


def live(lake: Lake, table: TableName | str, version: int) -> list[LiveFile]:
    """Return the data files of a version, from the newest checkpoint before it and the commits since.

    Raises
    ------
    StoreError
        LL-STORE-005 where the log can't build the version.
    """
    return [file_of(add) for add in snapshot(lake, table, version).adds.values()]


def snapshot(lake: Lake, table: TableName | str, version: int) -> Snapshot:
    """Return the actions that a version is made of; raises as `live`."""
    folder = _folder(lake, table)
    commits, checkpoints = _entries(folder)
    base = max((at for at in checkpoints if at <= version), default=-1)
    found = Snapshot()
    for name, action in _checkpointed(checkpoints[base]) if base >= 0 else ():
        _apply(found, name, action)
    for at in range(base + 1, version + 1):
        for name, action in _actions(_commit_of(commits, at, table)):
            _apply(found, name, action)
    return found


def _apply(found: Snapshot, name: str, action: dict[str, Any]) -> None:
    if name == "add":
        found.adds[_key(action)] = action
    elif name == "remove":
        found.adds.pop(_key(action), None)
    elif name == "metaData":
        found.metadata = action
    elif name == "protocol":
        found.protocol = action
    elif name == "domainMetadata":
        found.domains[action["domain"]] = action
        if action.get("removed"):
            del found.domains[action["domain"]]


def past(lake: Lake, table: TableName | str) -> Past:
    """Return when each file came and went, over all versions that the log can build.

    It reads every commit: for upkeep, not for a plan.

    Raises
    ------
    StoreError
        LL-STORE-005 where the log has a gap.
    """
    folder = _folder(lake, table)
    commits, checkpoints = _entries(folder)
    head = max(commits, default=max(checkpoints, default=-1))
    begin = head
    while begin - 1 in commits:
        begin -= 1
    made, there = Past(begin=begin, head=head), dict[tuple[str, str], tuple[int, tuple[str, ...]]]()
    if begin > 0:
        base = min((at for at in checkpoints if at >= begin - 1), default=None)
        if base is None:
            raise StoreError("LL-STORE-005", f"the log of {table} has a gap before version {begin}", where=str(table))
        made.begin = base
        for name, action in _checkpointed(checkpoints[base]):
            if name == "add":
                there[_key(action)] = (base, _paths(action))
    for at in range(made.begin + (begin > 0), head + 1):
        _replay(made, there, at, _commit_of(commits, at, table))
    for since, paths in there.values():
        for path in paths:
            made.spans.setdefault(path, []).append((since, END))
    return made


def unchanged(lake: Lake, table: TableName | str, before: int, now: int) -> bool:
    """Return whether no commit after the version `before` up to `now` changed a row or a column.

    Commits of OPTIMIZE, REORG and statistics say of each file that its data did not change; those that set
    properties have no file. Only the commits between are read, each up to the first file that says otherwise.
    """
    if now < before:
        return False
    folder = _folder(lake, table)
    return all(_neutral(folder / f"{at:020d}.json") for at in range(before + 1, now + 1))


def actions(lake: Lake, table: TableName | str, version: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what the commit of a version says, line by line: (name, action); nothing where its commit is gone."""
    commit = _folder(lake, table) / f"{version:020d}.json"
    return _actions(commit) if commit.exists() else iter(())


def changes_rows(name: str, action: Mapping[str, Any]) -> bool:
    """Return whether an action of a commit adds or takes away rows; OPTIMIZE, REORG and statistics say it does not."""
    return name in ("add", "remove") and bool(action.get("dataChange", True))


def _neutral(commit: Location) -> bool:
    if not commit.exists():
        return False
    settles = False
    for name, action in _actions(commit):
        if name == "commitInfo":
            settles = action.get("operation") in ("SET TBLPROPERTIES", "UNSET TBLPROPERTIES")
        elif changes_rows(name, action) or (name in ("metaData", "protocol", "cdc") and not settles):
            return False
    return True


def _replay(made: Past, there: dict[tuple[str, str], tuple[int, tuple[str, ...]]], at: int, commit: Location) -> None:
    time = int(commit.stat().st_mtime * 1000)
    for name, action in _actions(commit):
        if name == "add":
            there.setdefault(_key(action), (at, _paths(action)))
        elif name == "remove":
            since, paths = there.pop(_key(action), (made.begin, _paths(action)))
            for path in paths:
                made.spans.setdefault(path, []).append((since, at))
        elif name == "cdc":
            made.feeds[unquote(action["path"])] = at
        elif name == "commitInfo":
            time = int(action.get("inCommitTimestamp") or action.get("timestamp") or time)
    made.times[at] = max(time, made.times.get(at - 1, time))


def _folder(lake: Lake, table: TableName | str) -> Location:
    return lake.folder(table) / "_delta_log"


def _entries(folder: Location) -> tuple[dict[int, Location], dict[int, list[Location]]]:
    """Return version → commit, and version → the parts of its checkpoint, complete ones only."""
    commits: dict[int, Location] = {}
    parts: dict[int, list[tuple[Location, int]]] = {}
    for entry in folder.iterdir():
        if commit := _COMMIT.fullmatch(entry.name):
            commits[int(commit.group(1))] = entry
        elif checkpoint := _CHECKPOINT.fullmatch(entry.name):
            parts.setdefault(int(checkpoint.group(1)), []).append((entry, int(checkpoint.group(2) or 1)))
    whole = {at: [path for path, _ in found] for at, found in parts.items() if len(found) == found[0][1]}
    return commits, whole


def _commit_of(commits: Mapping[int, Location], at: int, table: TableName | str) -> Location:
    if at not in commits:
        raise StoreError("LL-STORE-005", f"the log of {table} lacks its commit {at}", where=str(table))
    return commits[at]


def _actions(commit: Location) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with commit.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    yield next(iter(json.loads(line).items()))
    except ValueError as cause:
        raise StoreError("LL-STORE-005", f"the commit {commit.name} is damaged", where=str(commit)) from cause


def _checkpointed(parts: list[Location]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a checkpoint holds, in the form that commits have."""
    import pyarrow.parquet as pq

    for part in parts:
        file = pq.ParquetFile(part if isinstance(part, Path) else part.open("rb"))
        there = {path.partition(".")[0] for path in (file.schema.column(i).path for i in range(len(file.schema)))}
        if "sidecar" in there and any(file.read(columns=["sidecar"]).column("sidecar").to_pylist()):
            # Its files stand elsewhere: read as it is, the version would seem to have none.
            raise StoreError(
                "LL-STORE-005", f"the checkpoint {part.name} is of a form that is not read (sidecars)", where=str(part),
                fix="delete it and _last_checkpoint: the commits say the same",
            )  # fmt: skip
        wanted = [f"add.{name}" for name in _ADD] + [
            name for name in ("metaData", "protocol", "domainMetadata") if name in there
        ]
        found = file.read(columns=wanted)
        for name in found.column_names:
            for action in found.column(name).to_pylist():
                if action is not None and (name != "add" or action.get("path") is not None):
                    yield name, {key: _plain(key, value) for key, value in action.items()}


def _plain(key: str, value: Any) -> Any:
    """Return a value of a checkpoint as a commit writes it: maps are lists of pairs in Arrow."""
    if key in ("partitionValues", "configuration"):
        return dict(value or ())
    if key == "format" and value:
        return {name: _plain("configuration" if name == "options" else name, each) for name, each in value.items()}
    return value


def _key(action: Mapping[str, Any]) -> tuple[str, str]:
    mark = action.get("deletionVector") or {}
    return action["path"], f"{mark.get('storageType', '')}{mark.get('pathOrInlineDv', '')}@{mark.get('offset', '')}"


def _paths(action: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the files that an entry of the log needs: its data, and its deletion vector where that is a file."""
    mark = vector_file(action.get("deletionVector"))
    return (unquote(action["path"]), *((mark,) if mark else ()))


def vector_file(mark: Mapping[str, Any] | None) -> str | None:
    """Return the file of a deletion vector, relative to the table; None where it has none of its own."""
    if not mark or mark["storageType"] != "u":
        return None
    text = mark["pathOrInlineDv"]
    name = uuid.UUID(bytes=base64.b85decode(text[-20:].translate(_TO_B85)))
    return f"{text[:-20]}/deletion_vector_{name}.bin".lstrip("/")


def file_of(add: Mapping[str, Any]) -> LiveFile:
    """Return a data file by what the log says of it."""
    stats = json.loads(add.get("stats") or "{}")
    values = add.get("partitionValues") or {}
    pairs = sorted(values.items())
    return LiveFile(
        unquote(add["path"]),
        int(add["size"] or 0),
        int(add["modificationTime"] or 0),
        int(stats.get("numRecords") or 0),
        int((add.get("deletionVector") or {}).get("cardinality") or 0),
        json.dumps(pairs) if pairs else "",
    )


def place_of(file: str, table: str) -> str:
    """Return where a file is: the log has it relative to the table or whole, ``_metadata`` as a URI."""
    if "://" in file and not file.startswith("file:"):  # of an object store
        return unquote(file)
    path = unquote(file).removeprefix("file:")
    return f"/{path.lstrip('/')}" if path.startswith("/") else f"{table}/{path}"


def alive(add: Mapping[str, Any]) -> int:
    """Return how many rows a file has without those that its deletion vector takes out; it tells its rows."""
    marked = int((add.get("deletionVector") or {}).get("cardinality") or 0)
    return int(json.loads(add["stats"])["numRecords"]) - marked


def transacted(step: str, epoch: int, at: int) -> dict[str, Any]:
    """Return what a commit says of whose it is (``txn``), at a time in milliseconds since 1970."""
    return {"appId": step, "version": epoch, "lastUpdated": at}


def added(add: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a commit says of a file that it adds, by what the log has said of it."""
    told = {name: value for name, value in add.items() if value is not None}
    if told.get("deletionVector"):
        told["deletionVector"] = {name: value for name, value in told["deletionVector"].items() if value is not None}
    return {"partitionValues": {}} | told | {"dataChange": True}


def removed(add: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Return what a commit says of a file that it takes away, at a time in milliseconds since 1970."""
    told = {
        "path": add["path"],
        "deletionTimestamp": at,
        "dataChange": True,
        "extendedFileMetadata": True,
        "partitionValues": add.get("partitionValues") or {},
        "size": add.get("size"),
    }
    mark = {name: value for name, value in (add.get("deletionVector") or {}).items() if value is not None}
    return told | ({"deletionVector": mark} if mark else {})
