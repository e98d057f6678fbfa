"""Some data files of a version as a table of their own, so that a reader of Delta reads those and no others.

It is a folder with one commit: the version's protocol and schema, and the files by their absolute paths.
Whatever the files are (mapped columns, deletion vectors, partitions), who reads Delta reads them right,
Spark as well as deltalake, and nothing is copied.

Source: the Delta transaction log protocol (absolute paths of files, deletion vectors of storage type ``p``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from lakeloom.objects.path import Location, ObjectPath
from lakeloom.store.log import Snapshot, vector_file

_KEPT = ("path", "partitionValues", "size", "modificationTime", "stats")
# What says how files are read; all other properties are the writers'.
_READ_BY = ("delta.columnMapping.", "delta.enableDeletionVectors", "delta.enableTypeWidening", "delta.enableVariant")


def excerpt(folder: Path, version: Snapshot, root: Location, adds: Iterable[Mapping[str, Any]]) -> str:
    """Make `folder` a table of some files of a version, and return its path.

    Parameters
    ----------
    version : Snapshot
        Whose protocol and schema hold.
    root : Path or ObjectPath
        The folder of the table that the files belong to; out of a store they are copied, since readers don't go
        from one place to another.
    adds : iterable of mapping
        What the log says of the files.
    """
    configuration = {
        name: value for name, value in version.metadata.get("configuration", {}).items() if name.startswith(_READ_BY)
    }
    protocol = {name: value for name, value in version.protocol.items() if value is not None}
    actions: list[dict[str, Any]] = [
        {"protocol": protocol},
        {"metaData": version.metadata | {"configuration": configuration}},
        *({"add": _absolute(add, str(root)) if isinstance(root, Path) else _copied(add, root, folder)} for add in adds),
    ]
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020d}.json").write_text("".join(json.dumps(each) + "\n" for each in actions), encoding="utf-8")
    return str(folder)


def absolute(path: str, root: str) -> str:
    """Return a file's address, by its path in the log: relative to the table's folder `root`, or absolute already."""
    return path if "://" in path or path.startswith("file:/") else f"file://{quote(root)}/{path}"


def _copied(add: Mapping[str, Any], root: ObjectPath, folder: Path) -> dict[str, Any]:
    """Copy a file out of a store, and its deletion vector, to the same places below `folder`."""
    mark = add.get("deletionVector")
    for name in filter(None, (unquote(add["path"]), vector_file(mark))):
        file = folder / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((root / name).read_bytes())
    kept = {name: add[name] for name in _KEPT if add.get(name) is not None} | {"dataChange": True}
    return kept | (
        {"deletionVector": {name: value for name, value in mark.items() if value is not None}} if mark else {}
    )


def _absolute(add: Mapping[str, Any], root: str) -> dict[str, Any]:
    mark = add.get("deletionVector")
    if mark:
        mark = {name: value for name, value in mark.items() if value is not None}
        file = vector_file(mark)
        if file is not None:
            mark |= {"storageType": "p", "pathOrInlineDv": f"file://{quote(root)}/{quote(file)}"}
    told = {name: value for name, value in add.items() if name in _KEPT and value is not None}
    told |= {"path": absolute(add["path"], root), "dataChange": True}
    return told | ({"deletionVector": mark} if mark else {})
