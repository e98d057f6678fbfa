"""Tags, made and deleted under the project's lock.

While a run holds it, some tables are published and others not yet, so there is no consistent set of good
versions; and while a vacuum holds it, it may be deleting what is about to be named.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from lakeloom.core.errors import StoreError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import LAYERS, TableRef
from lakeloom.core.users import who
from lakeloom.flow.auditing import noted
from lakeloom.store import refs, tags
from lakeloom.store.lake import Lake
from lakeloom.store.lock import locked


def tag(lake: Lake, name: str, wanted: Sequence[str] = (), *, wait_s: float = 0.0) -> tags.Tag:
    """Name the last good versions of tables and models, or the versions that are asked for.

    Parameters
    ----------
    wanted : sequence of str
        Tables, globs of them, or ``table@point``; without any, all that is published.

    Raises
    ------
    StoreError
        LL-STORE-014, LL-STORE-015; LL-STORE-001, LL-STORE-002, LL-STORE-012, LL-STORE-016 for a table or version
        that is not there.
    RunError
        LL-RUN-002 where a run holds the root.
    """
    tags.require_name(name)
    with locked(lake.root, wait_s):
        made = tags.tag(lake, name, _versions(lake, wanted), who=who(), at=datetime.now(UTC))
        noted(lake.root)
        return made


def untag(lake: Lake, name: str, *, wait_s: float = 0.0) -> tags.Tag:
    """Delete a tag and return what it meant; raises LL-STORE-002, LL-RUN-002."""
    with locked(lake.root, wait_s):
        gone = tags.untag(lake, name, who=who(), at=datetime.now(UTC))
        noted(lake.root)
        return gone


def _versions(lake: Lake, wanted: Sequence[str]) -> dict[str, int]:
    good = {
        name: version
        for name, version in refs.good(lake).items()
        if not name.startswith("exports.") and (name.partition(".")[0] not in LAYERS or lake.exists(name))
    }
    if not good:
        raise StoreError("LL-STORE-001", "nothing has been published yet", fix="lakeloom run")
    if not wanted:
        return good
    found: dict[str, int] = {}
    for text in wanted:
        if "@" in text:
            ref = TableRef.parse(text)
            found[str(ref.table)] = tags.resolve(lake, ref, good.get(str(ref.table)))
            continue
        matching = {name: version for name, version in good.items() if fnmatchcase(name, text)}
        if not matching:
            near = nearest(text, list(good))
            raise StoreError(
                "LL-STORE-001",
                f"'{text}' names no published table; there are {', '.join(good)}",
                fix=f"use '{near}'" if near else "see 'lakeloom tables'",
            )
        found |= matching
    return found
