"""What stands: the columns, keys and promises of a published table, and what its last executions took; no JVM."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakeloom.core.errors import LakeloomError
from lakeloom.core.steps import Facts, Step
from lakeloom.lineage.made import read_kept
from lakeloom.lineage.prints import Prints
from lakeloom.store.intents import Intents, Record
from lakeloom.store.lake import Lake
from lakeloom.store.layout import CONSTRAINT
from lakeloom.store.types import spark_type
from lakeloom.tables.breaking import Shape
from lakeloom.tables.history import CURRENT, FROM

_NOT_NULL = re.compile(r"`((?:[^`]|``)+)` IS NOT NULL")
# So many executions are looked through for one that built the table from scratch.
_LOOKED_AT = 25


def standing(lake: Lake, table: str, version: int) -> Shape:
    """Return the shape of a published version, as its own log tells it."""
    opened = lake.delta(table, version)
    fields = json.loads(opened.schema().to_json())["fields"]
    told = opened.metadata().configuration
    found = (_NOT_NULL.fullmatch(text) for name, text in told.items() if name.startswith(CONSTRAINT))
    never_null = [each[1].replace("``", "`") for each in found if each]
    never_null += [field["name"] for field in fields if not field["nullable"]]
    columns = {field["name"]: spark_type(field["type"]) for field in fields}
    keys = tuple(told["lakeloom.keys"].split(",")) if told.get("lakeloom.keys") else None
    if keys and FROM in columns and CURRENT in columns:
        keys = (*keys, FROM)
    return Shape(columns, True, keys, tuple(dict.fromkeys(never_null)))


def columns_there(lake: Lake, good: Mapping[str, int], table: str) -> dict[str, str]:
    """Return a table's columns at its last good version; none where it can't be told."""
    try:
        return lake.columns(table, good[table]) if table in good else {}
    except LakeloomError:
        return {}


def prints_of(lake: Lake, record: Record) -> Prints | None:
    """Return what was noted of how an execution made its table; None where nothing was."""
    key = (record.facts or {}).get("prints")
    text = read_kept(lake.root, key) if key else None
    try:
        return Prints.of(text) if text else None
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True)
class Figures:
    """What a step took when it ran last, from scratch if that is known.

    Attributes
    ----------
    scratch : bool
        Whether these are of an execution that built from scratch.
    bytes_read, bytes_written : int
        By Spark's tasks; 0 where they were not measured.
    """

    step: str
    seconds: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0
    rows: int = 0
    scratch: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the entry of ``plan --json``."""
        return dict(vars(self))


def figures(intents: Intents, step: Step) -> Figures:
    """Return what the step took last; nothing but its name where it never ran."""
    ran = [record for record in intents.newest(step.name, 1) if _counts(record)]
    if not ran or not _scratch(step, ran[-1]):
        ran = [record for record in intents.newest(step.name, _LOOKED_AT) if _counts(record)]
    full = [record for record in ran if _scratch(step, record)]
    if not ran:
        return Figures(step.name)
    record = (full or ran)[-1]
    facts: Facts = record.facts or {}
    took = facts.get("resources") or {}
    return Figures(
        step.name, facts.get("seconds") or 0.0, took.get("bytes_read") or 0, took.get("bytes_written") or 0,
        facts.get("rows_in") or 0, bool(full),
    )  # fmt: skip


def _counts(record: Record) -> bool:
    return record.facts is not None and not record.intent.replay


def _scratch(step: Step, record: Record) -> bool:
    return record.intent.full or step.kind in ("train", "tune")
