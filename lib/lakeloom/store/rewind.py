"""Bringing a table back to an earlier version by a commit of the log alone: no row is read, no JVM started.

The commit takes the files away that the version did not have, puts those back that it had, and makes its
schema hold again; it carries the writer's (step, epoch) as Delta's own transaction, and the manifest. It is
written as a file that may not exist yet, so that of two writers one is told to look again.

Source: the Delta transaction log protocol; the same actions as Delta's ``RESTORE TABLE``. Tables with features
beyond those that are known to need nothing else are refused, for Spark to do.
"""

from __future__ import annotations

import json
import time
from typing import Any

from lakeloom.core.names import TableName
from lakeloom.store.commit import Mark, metadata
from lakeloom.store.intents import write_once
from lakeloom.store.lake import Lake
from lakeloom.store.log import Snapshot, added, removed, snapshot, transacted
from lakeloom.store.protocol import changeable, configuration

_MAPPING, _LAST_ID = "delta.columnMapping.mode", "delta.columnMapping.maxColumnId"


def can_rewind(now: Snapshot, then: Snapshot | None) -> bool:
    """Return whether a table may be brought back by its log alone.

    Parameters
    ----------
    then : Snapshot or None
        None for a table without rows.
    """
    if not changeable(now):
        return False
    return then is None or configuration(then).get(_MAPPING) == configuration(now).get(_MAPPING)


def rewind(lake: Lake, table: TableName, version: int | None, mark: Mark) -> int | None:
    """Bring `table` back to `version`, or to no rows where that is None; return the new version.

    Returns
    -------
    int or None
        None where only Spark can do it; nothing was written then.

    Raises
    ------
    StoreError
        LL-STORE-006 where another writer committed at the same time.
    """
    head = lake.version(table)
    now = snapshot(lake, table, head)
    then = None if version is None else snapshot(lake, table, version)
    if not can_rewind(now, then):
        return None
    signed = Mark(mark.step, mark.epoch, mark.manifest | {"restored": version})
    at = int(time.time() * 1000)
    wanted = {} if then is None else then.adds
    gone = [add for key, add in now.adds.items() if key not in wanted]
    back = [add for key, add in wanted.items() if key not in now.adds]
    actions: list[dict[str, Any]] = [
        {
            "commitInfo": {
                "timestamp": at,
                "operation": "RESTORE" if then is not None else "DELETE",
                "operationParameters": {"version": str(version)} if then is not None else {},
                "readVersion": head,
                "isBlindAppend": False,
                "operationMetrics": {"numRestoredFiles": str(len(back)), "numRemovedFiles": str(len(gone))},
                "userMetadata": metadata(signed),
                "engineInfo": "lakeloom",
            }
        },
        {"txn": transacted(mark.step, mark.epoch, at)},
    ]
    if then is not None and _said(then) != _said(now):
        actions.append({"metaData": _schema(now, then)})
    actions += [{"remove": removed(add, at)} for add in gone]
    actions += [{"add": added(add)} for add in back]
    file = lake.folder(table) / "_delta_log" / f"{head + 1:020d}.json"
    write_once(file, "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in actions))
    return head + 1


def _said(version: Snapshot) -> tuple[Any, ...]:
    told = version.metadata
    return json.loads(told["schemaString"]), list(told.get("partitionColumns") or ()), configuration(version)


def _schema(now: Snapshot, then: Snapshot) -> dict[str, Any]:
    """Return the metadata of the earlier version; ids of columns that were given since are not given again."""
    own = configuration(then)
    if _LAST_ID in configuration(now):
        own[_LAST_ID] = configuration(now)[_LAST_ID]
    told = {name: value for name, value in then.metadata.items() if value is not None}
    return told | {"configuration": own, "id": now.metadata["id"]}
