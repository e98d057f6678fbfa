"""Profiles that `suggest` recorded, never with a personal value: ``<root>/profiles/<layer.name>.json``."""

from __future__ import annotations

import json
from typing import Any

from lakeloom.core.names import TableName
from lakeloom.objects.path import Location
from lakeloom.quality.profile import TableProfile
from lakeloom.store.intents import replace


def record(root: Location, profile: TableProfile) -> Location:
    """Write a profile over the table's last one."""
    file = root / "profiles" / f"{profile.table}.json"
    replace(file, json.dumps(profile.as_dict(), indent=1, default=str))
    return file


def recorded(root: Location, table: str) -> dict[str, Any] | None:
    """Return a table's recorded profile, None where there is none or it can't be read."""
    file = root / "profiles" / f"{TableName.parse(table)}.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "columns" in found else None
