"""What a rule may know beyond its own table: other tables, the clock of the intent, what was found before.

The runner fills it with pinned versions and recorded facts, so that a replay gives the same answers. Only
a source is asked as it is, for the rows up to what was landed of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import RuleError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Profile = Mapping[str, Any]


def _nothing(*asked: object) -> Any:
    raise RuleError(
        "LL-RULE-003", f"a rule looks beyond its table, which is not possible here ({asked[0]})",
        fix="leave it out here",
    )  # fmt: skip


def _no_past(rule: str) -> Sequence[Profile]:
    del rule
    return ()


@dataclass(frozen=True)
class Background:
    """What a rule may know beyond its own table.

    Attributes
    ----------
    table : callable
        Name → the table at its pinned version.
    totals : callable
        (source, columns to group by, columns to sum up) → a frame of these columns, ``count`` and the sums
        ``sum_0``, ``sum_1`` …, made by the database.
    clock : datetime or None
        The intent's, aware.
    past : callable
        A rule's name → the profiles that it recorded in earlier published executions, newest first.
    rows_out : int or None
        Rows that this execution wrote; None where it built the whole table.
    """

    table: Callable[[str], DataFrame] = _nothing
    totals: Callable[[str, Sequence[str], Sequence[str]], DataFrame] = _nothing
    clock: datetime | None = None
    past: Callable[[str], Sequence[Profile]] = _no_past
    rows_out: int | None = None


NOTHING = Background()
