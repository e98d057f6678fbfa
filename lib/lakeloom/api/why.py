"""Asking why a row is there: a key in words, and the columns that are not told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import LineageError
from lakeloom.flow.compare import key_of
from lakeloom.flow.context import Context, Engine
from lakeloom.flow.why import why as asked
from lakeloom.project.personal import guarded
from lakeloom.quality.personal import tag_of
from lakeloom.session.settings import overlay_of
from lakeloom.store.intents import Intents
from lakeloom.tables.catalog import settings

if TYPE_CHECKING:
    from lakeloom.api.table import Table
    from lakeloom.lineage.reason import Why
    from lakeloom.project.spec import Project
    from lakeloom.store.lake import Lake


def why(
    project: Project, lake: Lake, table: Table, keys: tuple[str, ...], key: Mapping[str, Any] | str, limit: int
) -> Why:
    """Return why the rows of a key are there; see `Records.why`.

    Parameters
    ----------
    keys : tuple of str
        The table's declared keys.
    """
    name = str(table.name)
    if isinstance(key, str):
        if len(keys) != 1:
            told = f"{name} is told apart by {', '.join(keys)}" if keys else f"{name} declares no keys"
            raise LineageError("LL-LINEAGE-002", f"{told}: name the columns", where=name, fix="--key COLUMN=VALUE …")
        key = {keys[0]: key}
    if not key:
        raise LineageError("LL-LINEAGE-002", "no key is given", where=name, fix="--key COLUMN=VALUE …")
    key_of(tuple(key), table.columns, name)
    tagged = guarded(project)
    every = {column for each in lake.tables() for column in lake.columns(each)}
    hidden = {column for column in every if column in tagged or tag_of(column) is not None}
    overlay = settings(project.settings.catalog, project.root, overlay_of(project.settings.spark))
    context = Context(project, "why", lake, Intents(lake.root), Engine(overlay, stores=project.stores))
    return asked(context, name, table.version, key, limit=limit, hidden=hidden)
