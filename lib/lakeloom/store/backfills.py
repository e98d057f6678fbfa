"""What a backfill has done, slice by slice: ``<root>/backfills/<id>/``, so that the same command goes on.

``plan.json`` is created exclusively before the first slice; each finished slice leaves
``<number>.json``, and the whole ``end.json``. The same span over the same steps has the same name;
once it has ended, the same command begins a new one with the next number.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lakeloom.core.errors import RunError, StoreError
from lakeloom.core.steps import Basis, Window, digest
from lakeloom.objects.path import Location
from lakeloom.store.intents import write_once

_ID = re.compile(r"[0-9a-f]{16}-\d{4}")


@dataclass(frozen=True)
class Plan:
    """What a backfill is about to do.

    Attributes
    ----------
    sliced, tail : tuple of str
        The steps of each slice, and those that run once at the end.
    spans : tuple of (str, str)
        The slices: ISO times in order.
    """

    by: Basis
    sliced: tuple[str, ...]
    tail: tuple[str, ...]
    spans: tuple[tuple[str, str], ...]

    def windows(self) -> list[Window]:
        """Return the slices."""
        return [
            Window(datetime.fromisoformat(start), datetime.fromisoformat(end), self.by) for start, end in self.spans
        ]


class Backfills:
    """The backfills of a storage root."""

    def __init__(self, root: Location) -> None:
        self.folder = root / "backfills"

    def open(self, plan: Plan) -> str:
        """Return the id of the unfinished backfill of this plan; begins one where there is none."""
        name = digest(asdict(plan))
        known = sorted(entry.name for entry in self.folder.glob(f"{name}-*") if _ID.fullmatch(entry.name))
        if known and not self.ended(known[-1]):
            return known[-1]
        made = f"{name}-{len(known) + 1:04d}"
        write_once(self.folder / made / "plan.json", json.dumps(asdict(plan), indent=1))
        return made

    def plan(self, backfill: str) -> Plan:
        """Return a backfill's plan; raises LL-RUN-003 where there is none, LL-STORE-005 where it is damaged."""
        file = self.folder / backfill / "plan.json"
        if not _ID.fullmatch(backfill) or not file.is_file():
            raise RunError("LL-RUN-003", f"there is no backfill '{backfill}'", fix="see 'lakeloom runs'")
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            spans = tuple((str(start), str(end)) for start, end in found["spans"])
            return Plan(found["by"], tuple(found["sliced"]), tuple(found["tail"]), spans)
        except (ValueError, KeyError, TypeError) as cause:
            raise StoreError(
                "LL-STORE-005", f"the plan of the backfill {backfill} is damaged", where=str(file)
            ) from cause

    def done(self, backfill: str) -> dict[int, dict[str, Any]]:
        """Return number → record of the finished slices, from 1."""
        files = (self.folder / backfill).glob("[0-9]*.json")
        return {int(file.stem): json.loads(file.read_text(encoding="utf-8")) for file in files}

    def note(self, backfill: str, number: int, record: dict[str, Any]) -> None:
        """Note that a slice is done; raises LL-STORE-006 where another process has noted it."""
        write_once(self.folder / backfill / f"{number:05d}.json", json.dumps(record, default=str))

    def end(self, backfill: str, record: dict[str, Any]) -> None:
        """Note that all is done."""
        write_once(self.folder / backfill / "end.json", json.dumps(record, default=str))

    def ended(self, backfill: str) -> bool:
        """Return whether all of it is done."""
        return (self.folder / backfill / "end.json").is_file()
