"""What queries over small tables have said, kept while the log that they were asked of is the same.

A log is never written in place: while its files are the same, so is what its table says. One listing then spares the
log's commits, its checkpoint and all files of the table.
"""

from __future__ import annotations

from typing import Any

from lakeloom.store.listing import Listing

_ROWS = 10_000  # of an answer; more is asked for again
_MOST = 256  # answers: a query that names an epoch or a run is another one each time
Rows = list[dict[str, Any]]


class Answers:
    """Answers by table and query; the last one of each."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[Listing, Rows]] = {}

    def kept(self, table: str, query: str, log: Listing) -> Rows | None:
        """Return what was answered while the log was this one; None where it was not asked then."""
        found = self._kept.get((table, query))
        return [dict(row) for row in found[1]] if found is not None and found[0] == log else None

    def keep(self, table: str, query: str, log: Listing, rows: Rows) -> None:
        """Keep an answer; `log` is as it was before it was asked: what has come since makes it ask again."""
        if len(rows) <= _ROWS:
            self._kept.pop((table, query), None)
            self._kept[table, query] = (log, [dict(row) for row in rows])
            for oldest in list(self._kept)[:-_MOST]:
                self._kept.pop(oldest, None)
