"""The audit: who did what, when, to which table at which version; ``meta.audit``, append-only, chained by hashes.

Each row holds the hash of the row before it and its own, over all that it says: whoever changes, removes or
puts in a row breaks the chain from there on. ``<root>/audit.json`` holds the newest hash, so that rows that are
cut off at the end are missed too. Against somebody who writes the whole chain anew, keep a hash outside:
`lakeloom audit list` shows them.

What became of refs is taken over from ``meta.refs``, by its order: rows that a killed process left out are
written by the next one. What is no ref (branches, vacuums) is noted by itself.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lakeloom.core.errors import StoreError
from lakeloom.core.names import TableName
from lakeloom.store import refs
from lakeloom.store.intents import replace
from lakeloom.store.lake import Lake
from lakeloom.store.meta import append, rows

TABLE = TableName("meta", "audit")
COLUMNS = {
    "order": "long",
    "at": "timestamp",
    "who": "string",
    "action": "string",
    "table": "string",
    "version": "long",
    "step": "string",
    "epoch": "long",
    "run": "string",
    "detail": "string",
    "ref": "long",
    "previous": "string",
    "hash": "string",
}
_SAID = tuple(name for name in COLUMNS if name != "hash")
_FIRST = "0" * 64
_PROPERTIES = {"delta.appendOnly": "true"}  # every engine refuses to change or delete a row
_HEAD = "audit.json"
# What a step's name begins with where people, and no execution, have published.
_VERBS = ("restore", "clone", "fix", "replay", "drop", "upkeep")
_WRITING = threading.Lock()


@dataclass(frozen=True)
class Verdict:
    """What became of the chain.

    Attributes
    ----------
    rows : int
    head : str
        The newest hash.
    pending : int
        Changes of refs that are not in the chain yet: of a process that was killed; the next one writes them.
    broken : str
        What is wrong; empty where the chain holds.
    at : int or None
        The order of the first row that is wrong.
    """

    rows: int
    head: str
    pending: int
    broken: str = ""
    at: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``audit verify --json``."""
        return {"sound": not self.broken, "rows": self.rows, "head": self.head, "pending": self.pending,
                "broken": self.broken, "at": self.at}  # fmt: skip


def digest(row: Mapping[str, Any]) -> str:
    """Return the hash of a row: SHA-256 over all that it says, the hash before it among that."""
    told = [_plain(row.get(name)) for name in _SAID]
    return hashlib.sha256(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def note(lake: Lake, events: Sequence[Mapping[str, Any]] = ()) -> None:
    """Take over what became of refs since the last time, then `events`: in one commit.

    The caller holds the root's lock.

    Parameters
    ----------
    events : sequence of mapping
        at, who and action; table, version, step, epoch, run, detail where there are any.
    """
    with _WRITING:
        last = rows(lake, TABLE, _newest())
        order, previous = (last[0]["order"], last[0]["hash"]) if last else (-1, _FIRST)
        # The first order that is no ref's follows the last one: what has no order of a ref says so by NULL.
        since = rows(lake, TABLE, "SELECT max(ref) AS ref FROM t")
        told = _of_refs(lake, since[0]["ref"] if since and since[0]["ref"] is not None else -1)
        made = []
        for each in (*told, *events):
            order += 1
            row = dict.fromkeys(COLUMNS) | dict(each) | {"order": order, "previous": previous}
            row["hash"] = previous = digest(row)
            made.append(row)
        if made:
            append(lake, TABLE, COLUMNS, made, _PROPERTIES)
            replace(lake.root / _HEAD, json.dumps({"order": order, "hash": previous}))


def entries(lake: Lake) -> list[dict[str, Any]]:
    """Return all rows, oldest first, and those that the next writer will add, without a hash."""
    found = sorted(rows(lake, TABLE), key=lambda row: row["order"])
    last = max((row["ref"] for row in found if row["ref"] is not None), default=-1)
    return [*found, *(dict.fromkeys(COLUMNS) | row for row in _of_refs(lake, last))]


def verify(lake: Lake) -> Verdict:
    """Recompute the chain, and hold it against the refs; return the first thing that is wrong."""
    found = sorted(rows(lake, TABLE), key=lambda row: row["order"])
    named = {row["order"]: row for row in refs.entries(lake)}
    previous, seen = _FIRST, -1

    def wrong(what: str, at: int | None) -> Verdict:
        return Verdict(len(found), previous, 0, what, at)

    for place, row in enumerate(found):
        at = int(row["order"])
        if at != place:
            return wrong(f"row {place} is missing, or stands twice", place)
        if row["previous"] != previous or row["hash"] != digest(row):
            return wrong(f"row {at} was changed, or the one before it", at)
        previous = row["hash"]
        if row["ref"] is not None:
            ref = named.get(row["ref"])
            if ref is None or any(_plain(_of_ref(ref).get(name)) != _plain(row[name]) for name in ("table", "version")):
                return wrong(f"meta.refs does not say what row {at} says of it", at)
            seen = max(seen, int(row["ref"]))
    head = _head(lake)
    if head is not None and (head["order"], head["hash"]) != (len(found) - 1, previous):
        if head["order"] >= len(found):
            return wrong(f"rows after {len(found) - 1} are missing: there were {head['order'] + 1}", len(found))
        if head["hash"] != (found[head["order"]]["hash"] if found else _FIRST):
            return wrong(f"row {head['order']} is not the one that was written", head["order"])
    elif head is None and found:
        return wrong(f"{_HEAD} is missing: rows may have been cut off", None)
    return Verdict(len(found), previous, sum(order > seen for order in named))


def _newest() -> str:
    return 'SELECT "order", hash FROM t ORDER BY "order" DESC LIMIT 1'


def _head(lake: Lake) -> dict[str, Any] | None:
    file = lake.root / _HEAD
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except ValueError as cause:
        raise StoreError("LL-STORE-005", f"{_HEAD} is damaged", where=str(file)) from cause


def _of_refs(lake: Lake, since: int) -> list[dict[str, Any]]:
    found = rows(lake, refs.TABLE, f'SELECT * FROM t WHERE "order" > {int(since)}')  # noqa: S608 - a number
    return [_of_ref(row) for row in sorted(found, key=lambda row: row["order"])]


def _of_ref(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a change of a ref is in the audit."""
    verb = str(row["step"] or "").partition(".")[0]
    action = verb if verb in _VERBS else "publish"
    if row["name"] != refs.GOOD:
        action = "untag" if row["version"] is None else "tag"
    told = {name: row[name] for name in ("at", "table", "version", "step", "epoch", "run")}
    detail = "" if row["name"] == refs.GOOD else row["name"]
    return told | {"who": row.get("who"), "action": action, "detail": detail, "ref": row["order"]}


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
