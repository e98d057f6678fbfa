"""A table's profile, read off the statistics of Delta's log: rows, NULL, least and greatest values, no row read.

The log knows them of the first columns (Delta takes 32), and not how many distinct values there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakeloom.quality.profile import ColumnProfile, TableProfile

if TYPE_CHECKING:
    from lakeloom.store.lake import Lake


def of_log(lake: Lake, table: str, version: int, tags: Mapping[str, Sequence[str]]) -> TableProfile:
    """Return what the log's statistics tell of a table; no row is read."""
    opened = lake.delta(table, version)
    batch = opened.get_add_actions(flatten=True)
    files: dict[str, Any] = {name: batch.column(name).to_pylist() for name in batch.schema.names}
    counted = files.get("num_records", [])
    rows = sum(count or 0 for count in counted)
    known = bool(counted) and all(count is not None for count in counted)
    # What a deletion vector has taken out is in the statistics still.
    exact = known and "deletionVectors" not in (opened.protocol().reader_features or ())
    columns = []
    for name, kind in lake.columns(table, version).items():
        if name.startswith("_"):
            continue
        nulls = files.get(f"null_count.{name}", [])
        told = exact and len(nulls) == batch.num_rows and all(each is not None for each in nulls)
        low = _extreme(files.get(f"min.{name}"), min) if told and kind not in ("string", "binary") else None
        high = _extreme(files.get(f"max.{name}"), max) if told and kind not in ("string", "binary") else None
        columns.append(
            ColumnProfile(
                name, kind, rows if told else 0, sum(nulls) if told else 0, low=low, high=high,
                tags=tuple(tags.get(name, ())),
            )
        )  # fmt: skip
    return TableProfile(table, version, rows, tuple(columns))


def _extreme(values: list[Any] | None, pick: Any) -> Any:
    known = [value for value in values or () if isinstance(value, int | float | Decimal | date | datetime)]
    return pick(known) if known else None
