"""A deterministic share of what a source's batch holds.

By hash, never by chance: of columns, so that rows of one customer are all in or all out, in every
source that is sampled by the customer; else of a row's place (file and record, in a database the row
itself). The same share of the same data is the same rows, and a larger share holds all of a smaller one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import SourceError
from lakeloom.core.kinds import nearest
from lakeloom.core.names import quoted
from lakeloom.sources.landing import Landing

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# A batch of at most so many rows is taken whole where nothing else is asked for: a table that others
# look something up in would be of no use in part.
SMALL_ROWS = 10_000
_PARTS = 1_000_000


@dataclass(frozen=True)
class Sample:
    """What is taken of a batch; it stands in the batch, so that a replay takes the same.

    Attributes
    ----------
    share : float
        Above 0, below 1.
    by : tuple of str or str or None
        Columns; ``rows``, ``whole``; None for a small batch whole and a large one by `keys`, or by rows.
    keys : tuple of str
        What tells a row at the source, where it says so.
    """

    share: float
    by: tuple[str, ...] | str | None = None
    keys: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the sample as it stands in a batch."""
        by = list(self.by) if isinstance(self.by, tuple) else self.by
        return {"share": self.share, "by": by, "keys": list(self.keys)}

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Sample:
        """Return what `as_dict` wrote."""
        by = entry["by"]
        return cls(entry["share"], tuple(by) if isinstance(by, list) else by, tuple(entry["keys"]))


def sampled(landing: Landing, sample: Sample, where: str = "") -> Landing:
    """Return the landing with the sample's share of its rows.

    Unreadable records are taken by their place, unreadable files all.

    Raises
    ------
    SourceError
        LL-SOURCE-003 where a column is not in the source.
    """
    by = sample.by
    if by is None:
        # Counting fills the cache that the runner has asked for; it reads no more than the share's writing will.
        small = landing.good.limit(SMALL_ROWS + 1).count() <= SMALL_ROWS
        by = "whole" if small else sample.keys or "rows"
    if by == "whole":
        return landing
    good = landing.good.where(_taken(_key(landing.good, by, where), sample.share))
    broken = landing.broken
    if broken is not None:
        broken = broken.where(broken["bytes"].isNotNull() | _taken(_place(), sample.share))
    return replace(landing, good=good, broken=broken)


def _taken(key: Column, share: float) -> Column:
    from pyspark.sql import functions as F

    return F.pmod(key, F.lit(_PARTS)) < max(1, round(share * _PARTS))


def _place() -> Column:
    from pyspark.sql import functions as F

    return F.xxhash64("_file", "_record")


def _key(frame: DataFrame, by: Sequence[str] | str, where: str) -> Column:
    """Return the hash that decides; a row without any value in the columns is told by its place."""
    from pyspark.sql import functions as F

    if isinstance(by, str):
        return _place()
    known = {name.lower(): name for name in frame.columns if not name.startswith("_")}
    columns = []
    for name in by:
        if name.lower() not in known:
            near = nearest(name.lower(), known)
            raise SourceError(
                "LL-SOURCE-003",
                f"column '{name}', which the sample goes by, is not in the source ({', '.join(known.values())})",
                where=where,
                fix=f"use '{near}'" if near else "use one of them",
            )
        # As text: the same customer is a number in a database and text in a file.
        columns.append(F.col(quoted(known[name.lower()])).cast("string"))
    return F.when(F.coalesce(*columns).isNull(), _place()).otherwise(F.xxhash64(*columns))
