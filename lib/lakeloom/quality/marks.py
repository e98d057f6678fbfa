"""Marks of a judged row: one bit a rule for 'it breaks it' and one for 'it looks at it', in whole numbers.

Twenty rules then cost a cached row two numbers, and counting them reads nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from lakeloom.quality.lanes import Bit, Lanes

if TYPE_CHECKING:
    from pyspark.sql import Column

    from lakeloom.quality.verdicts import Verdict

FAULTS = "_faults"
_BROKEN, _SEEN = "_marks_broken_", "_marks_seen_"
# A bigint's bits, its sign left alone.
_BITS = 62


def with_faults(columns: Collection[str], found: Column) -> Column:
    """Return the reasons `found`, behind those that rows with these columns have in ``_faults`` already."""
    from pyspark.sql import functions as F

    reasons = found.cast("array<string>")
    if FAULTS not in columns:
        return reasons
    return F.concat(F.coalesce(F.col(FAULTS), F.array().cast("array<string>")), reasons)


@dataclass(frozen=True)
class Marks:
    """Which rule has which bit.

    Attributes
    ----------
    titles : tuple of str
        The rules' names, in the order of their bits.
    rejecting : tuple of bool
        Whether a row that breaks the rule goes to quarantine.
    faults : bool
        Whether rows carry reasons from before the rules.
    """

    titles: tuple[str, ...]
    rejecting: tuple[bool, ...]
    faults: bool

    @classmethod
    def of(cls, titles: Sequence[str], rejecting: Sequence[bool], *, faults: bool) -> Marks:
        """Return the marks of rules."""
        return cls(tuple(titles), tuple(rejecting), faults)

    @property
    def columns(self) -> list[str]:
        """The names of the columns that hold the marks."""
        words = range(-(-len(self.titles) // _BITS))
        return [f"{name}{word}" for name in (_BROKEN, _SEEN) for word in words]

    @property
    def rejects(self) -> bool:
        """Whether a row may go to quarantine."""
        return self.faults or any(self.rejecting)

    def made_of(self, verdicts: Sequence[Verdict]) -> list[Column]:
        """Return the columns of the marks; a rule that looks at every row has no bit for that."""
        broken = _words(_BROKEN, [verdict.broken for verdict in verdicts])
        return broken + _words(_SEEN, [verdict.checked for verdict in verdicts])

    def rejected(self) -> Column:
        """Return whether a row goes to quarantine."""
        from pyspark.sql import functions as F

        found = [F.coalesce(F.size(FAULTS) > 0, F.lit(False))] if self.faults else []
        for word in range(0, len(self.titles), _BITS):
            mask = sum(1 << bit for bit, each in enumerate(self.rejecting[word : word + _BITS]) if each)
            if mask:
                found.append(F.col(f"{_BROKEN}{word // _BITS}").bitwiseAND(mask) != 0)
        return reduce(lambda one, other: one | other, found, F.lit(False))

    def reasons(self) -> Column:
        """Return why a row goes to quarantine: what was there before, then the names of the rules it broke."""
        from pyspark.sql import functions as F

        named = [
            F.when(_bit(_BROKEN, index), F.lit(title))
            for index, title in enumerate(self.titles)
            if self.rejecting[index]
        ]
        none = F.array().cast("array<string>")
        found = F.array_compact(F.array(*named)) if named else none
        if self.faults:
            found = F.concat(F.coalesce(F.col(FAULTS), none), found)
        return F.when(self.rejected(), found).otherwise(none)

    def counts(self, verdicts: Sequence[Verdict], *, kept: bool) -> list[Column]:
        """Return ``out`` (rows for quarantine) and for each rule ``broken_<index>``.

        A rule that does not look at every row has ``checked_<index>`` too. Where rows are `kept` the counts are
        of their marks; where they are only read, of the verdicts themselves, which saves making the marks.
        """
        from pyspark.sql import functions as F

        rejected = [each.broken for each, rejects in zip(verdicts, self.rejecting, strict=True) if rejects]
        rejected += [F.coalesce(F.size(FAULTS) > 0, F.lit(False))] if self.faults else []
        out = F.count_if(reduce(lambda one, other: one | other, rejected, F.lit(False))).alias("out")
        found = [self.out() if kept else out]
        for index, verdict in enumerate(verdicts):
            found.append(F.count_if(_bit(_BROKEN, index) if kept else verdict.broken).alias(f"broken_{index}"))
            if verdict.checked is not None:
                found.append(F.count_if(_bit(_SEEN, index) if kept else verdict.checked).alias(f"checked_{index}"))
        return found

    def out(self) -> Column:
        """Return the count ``out`` alone, of rows with their marks."""
        from pyspark.sql import functions as F

        return F.count_if(self.rejected()).alias("out")

    def lanes(self, verdicts: Sequence[Verdict]) -> Lanes:
        """Return the counts ``broken_<index>`` and ``checked_<index>`` of the marks, packed."""
        bits = [Bit(f"broken_{index}", *_place(_BROKEN, index)) for index in range(len(verdicts))]
        seen = [index for index, verdict in enumerate(verdicts) if verdict.checked is not None]
        return Lanes((*bits, *(Bit(f"checked_{index}", *_place(_SEEN, index)) for index in seen)))


def _place(name: str, index: int) -> tuple[str, int]:
    return f"{name}{index // _BITS}", index % _BITS


def _bit(name: str, index: int) -> Column:
    from pyspark.sql import functions as F

    word, at = _place(name, index)
    return F.col(word).bitwiseAND(1 << at) != 0


def _words(name: str, flags: Sequence[Column | None]) -> list[Column]:
    from pyspark.sql import functions as F

    words = []
    for start in range(0, len(flags), _BITS):
        bits = [
            F.when(flag, F.lit(1 << bit).cast("bigint")).otherwise(F.lit(0).cast("bigint"))
            for bit, flag in enumerate(flags[start : start + _BITS])
            if flag is not None
        ]
        word = reduce(lambda one, other: one.bitwiseOR(other), bits, F.lit(0).cast("bigint"))
        words.append(word.alias(f"{name}{start // _BITS}"))
    return words
