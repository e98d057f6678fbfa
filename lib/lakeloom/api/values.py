"""Values of a table as JSON: the one form that every ``--json`` and every page uses.

Timestamps are ISO 8601 in UTC (without a zone where the column has none), decimals are text with
all their digits, binary is base64, and what JSON has no number for is the text ``NaN``,
``Infinity`` or ``-Infinity``.
"""

from __future__ import annotations

import base64
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def plain(value: Any) -> Any:
    """Return `value` as what `json.dumps` can write."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _unwritable(value)
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    return str(value)


def records(data: pa.Table) -> list[dict[str, Any]]:
    """Return an Arrow table as ``[{column: value}]``, ready for JSON."""
    columns = [(name, data.column(index).to_pylist()) for index, name in enumerate(data.column_names)]
    return [{name: plain(values[row]) for name, values in columns} for row in range(data.num_rows)]


def _unwritable(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
