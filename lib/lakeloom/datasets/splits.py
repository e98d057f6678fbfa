"""Splits: which rows train, which choose the model, which judge it.

By time (the default that a forecast needs)::

    split: {by: sched_dep, train: ..2013-09-30, valid: ..2013-10-31, test: ..2013-12-31}

Ranges are read in order and name days, both ends inclusive: ``..2013-09-30`` holds the whole of
that day. ``..END`` begins where the one before it ended (or at the beginning of time), ``A..B`` at
the start of day A, which may leave a gap, and ``A..`` has no end. In instants they are half-open:
``[start of A, start of the day after B)``. Days are days of ``by``: a DATE as it stands, a
TIMESTAMP in UTC; give a local date where local days are meant.

By chance, for comparison with protocols that do so::

    split: {random: {train: 0.75, test: 0.25}, seed: 7}

A row's part depends on a hash of its keys and the seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakeloom.features.spec import Sql

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
NONE = "none"


@dataclass(frozen=True)
class DayRange:
    """Days ``[start, end)`` of one split; None is without a bound."""

    name: str
    start: date | None
    end: date | None


class SplitSpec(BaseModel):
    """By time (`by` and ranges of days) or by chance (`random` and `seed`).

    Attributes
    ----------
    by : str, optional
        SQL over the label table, DATE or TIMESTAMP.
    train, valid, test : str, optional
        Ranges of days: ``..END``, ``START..END`` or ``START..``.
    random : mapping, optional
        Split to share; the shares sum to at most 1, the rest is in no split.
    seed : int
        For `random`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Sql | None = None
    train: str | None = None
    valid: str | None = None
    test: str | None = None
    random: dict[SplitName, float] | None = None
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> SplitSpec:
        if self.random is not None:
            if self.by or self.train or self.valid or self.test:
                raise ValueError("random shares and ranges of days exclude each other")
            if "train" not in self.random or any(share <= 0 for share in self.random.values()):
                raise ValueError("random needs a share above 0 for train")
            if sum(self.random.values()) > 1 + 1e-9:
                raise ValueError("the shares sum to more than 1")
        elif self.by is None or self.train is None:
            raise ValueError("give by and train (ranges of days), or random")
        self.ranges()
        return self

    def ranges(self) -> tuple[DayRange, ...]:
        """Return the days of each split, in order; raises ValueError where they overlap or run backwards."""
        found: list[DayRange] = []
        for name in SPLITS:
            text = getattr(self, name)
            if text is None:
                continue
            before = found[-1].end if found else None
            if found and before is None:
                raise ValueError(f"{name}: '{found[-1].name}' has no end, nothing can follow it")
            first, dots, last = text.partition("..")
            if not dots or not (first or last):
                raise ValueError(f"{name}: '{text}' is no range of days; write ..2013-09-30 or 2013-10-01..2013-10-31")
            start = _day(name, first) if first else before
            end = _day(name, last) + timedelta(days=1) if last else None
            if before is not None and start is not None and start < before:
                raise ValueError(f"{name}: begins before '{found[-1].name}' has ended")
            if start is not None and end is not None and end <= start:
                raise ValueError(f"{name}: '{text}' holds no day")
            found.append(DayRange(name, start, end))
        return tuple(found)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{name}: '{text}' is not a day; write it like 2013-09-30") from None
