"""Giving columns new values: what was changed is counted, what is incompatible is marked, in one pass.

The new values are computed once, beside the old ones, and compared with them: NULL equals NULL, and a
column that was not there counts as NULL. A value that was turned into another type counts as changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from lakeloom.cleansing.base import Level
from lakeloom.core.names import quoted
from lakeloom.quality.judged import UNREAD
from lakeloom.quality.marks import FAULTS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_NEW, _FAULT, _RAW = "_edit_new_", "_edit_fault_", "_edit_raw_"
# Spark compares no maps and no variants.
_INCOMPARABLE = ("map<", "variant")


@dataclass(frozen=True)
class Edit:
    """A column's new value.

    Attributes
    ----------
    column : str
        The column that gets it, there already or new.
    value : Column
        The new value.
    fault : Column, optional
        True where the old value is incompatible, never NULL.
    reason : str
        Why a row goes to quarantine, such as ``parse:ordered_at``; a name, never a value.
    source : str, optional
        The column whose value is incompatible; it is kept as text (binary as base64) beside the reason.
    otherwise : {'quarantine', 'null', 'fail'}
        What happens where there is a fault: the value is NULL, and the row goes to quarantine or stays;
        or the step fails with LL-CLEAN-003.
    """

    column: str
    value: Column
    fault: Column | None = None
    reason: str = ""
    source: str | None = None
    otherwise: Level = "quarantine"


def edited(frame: DataFrame, edits: Sequence[Edit], tally: str) -> DataFrame:
    """Return the frame with the edits made, `tally` (1 for a changed row, else 0), and faults marked.

    No two edits may be of one column.
    """
    from pyspark.sql import functions as F

    before = dict(frame.dtypes)
    wide = frame.select("*", *[column for index, edit in enumerate(edits) for column in _worked_out(index, edit)])
    after = dict(wide.dtypes)
    changed: Column = F.lit(False)
    values: dict[str, Column] = {}
    for index, edit in enumerate(edits):
        fresh = F.col(f"{_NEW}{index}")
        differs = _differs(edit.column, before.get(edit.column), fresh, after[f"{_NEW}{index}"])
        if edit.fault is not None and edit.otherwise == "quarantine":
            differs = differs & ~F.col(f"{_FAULT}{index}")
        changed = changed | differs
        values[edit.column] = fresh.alias(edit.column)
    kept = [values.pop(name, F.col(quoted(name))) for name in before if name not in (FAULTS, UNREAD, tally)]
    marks = _marks(edits, before)
    return wide.select(*kept, *values.values(), *marks, changed.cast("bigint").alias(tally))


def _worked_out(index: int, edit: Edit) -> list[Column]:
    from pyspark.sql import functions as F

    if edit.fault is None:
        return [edit.value.alias(f"{_NEW}{index}")]
    bad = F.lit(None)
    if edit.otherwise == "fail":
        bad = F.raise_error(F.lit(f"LL-CLEAN-003: {edit.reason}"))
    return [F.when(edit.fault, bad).otherwise(edit.value).alias(f"{_NEW}{index}"), edit.fault.alias(f"{_FAULT}{index}")]


def _differs(name: str, before: str | None, fresh: Column, kind: str) -> Column:
    from pyspark.sql import functions as F

    if before is None:
        return fresh.isNotNull()
    old = F.col(quoted(name))
    if before != kind or any(word in kind for word in _INCOMPARABLE):
        return old.isNotNull() | fresh.isNotNull()
    return ~old.eqNullSafe(fresh)


def _marks(edits: Sequence[Edit], before: dict[str, str]) -> list[Column]:
    """Return ``_faults`` and ``_unread``, what stood there already first."""
    from pyspark.sql import functions as F

    faulty = [
        (F.col(f"{_FAULT}{index}"), edit)
        for index, edit in enumerate(edits)
        if edit.fault is not None and edit.otherwise == "quarantine"
    ]
    reasons = [F.when(fault, F.lit(edit.reason)) for fault, edit in faulty]
    unread = [
        F.when(fault, F.struct(F.lit(edit.source).alias("column"), _text(edit.source, before).alias("value")))
        for fault, edit in faulty
        if edit.source is not None
    ]
    found = []
    for name, items, kind in ((FAULTS, reasons, "array<string>"), (UNREAD, unread, UNREAD_TYPE)):
        parts = [F.coalesce(name, F.array().cast(kind))] if name in before else []
        parts += [F.array_compact(F.array(*items)).cast(kind)] if items else []
        if parts:
            found.append(reduce(lambda left, right: F.concat(left, right), parts).alias(name))
    return found


def _text(name: str, before: dict[str, str]) -> Column:
    from pyspark.sql import functions as F

    column = F.col(quoted(name))
    return F.base64(column) if before[name] == "binary" else column.cast("string")


UNREAD_TYPE = "array<struct<column:string,value:string>>"
