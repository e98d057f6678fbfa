"""What a task does with one job of a landing: its rows go into one file of the table, without Spark's writer.

A worker of Python begins with what is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakeloom.objects.path import Location
from lakeloom.sources.landing import Job, LeftToSparkError
from lakeloom.store.filed import filed
from lakeloom.tables.arrived import stamped

if TYPE_CHECKING:
    from lakeloom.tables.bronze import Stamp

LEFT = "left to Spark"


@dataclass(frozen=True)
class Filer:
    """Writes one job's rows into one file; returns what the log says of it, or that they are left to Spark.

    Attributes
    ----------
    folder : Path or ObjectPath
        The table's.
    source : str
        The source's name.
    mark : Stamp
        Of the landing.
    names : mapping
        Column in lower case → as the table spells it.
    leaves : tuple of str
        The columns of which the log has statistics, see `lakeloom.store.filed.filed`.
    codec : str
        A key of `lakeloom.store.encoding.WRITTEN`.
    """

    folder: Location
    source: str
    mark: Stamp
    names: Mapping[str, str]
    leaves: tuple[str, ...]
    codec: str

    def __call__(self, job: Job) -> dict[str, Any] | str | None:
        """Return the log's ``add`` action of the job's file, None of a job without rows, `LEFT` of one given up.

        Raises
        ------
        LeftToSparkError
            For what a second try may not meet again.
        """
        rows = (stamped(table, self.source, self.mark) for table in job.tables())
        named = (each.rename_columns([self.names[name.lower()] for name in each.column_names]) for each in rows)
        try:
            return filed(self.folder, named, self.leaves, self.codec)
        except LeftToSparkError as left:
            if left.again:
                raise
            return LEFT
