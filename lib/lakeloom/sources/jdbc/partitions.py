"""Into which parts a read is divided: as the source says, or as the table's size and statistics suggest.

Each row is in exactly one part, whatever its values; NULL is in the first. A part is a connection and a
task of its own, and what is read again where its connection is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.core.secrets import reveal
from lakeloom.session.connect import is_connect
from lakeloom.sources.jdbc import windows
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.connection import measured
from lakeloom.sources.jdbc.dialects import bucket, literals, quote_identifier
from lakeloom.sources.jdbc.embedded import is_embedded
from lakeloom.sources.jdbc.snapshot import shared
from lakeloom.sources.jdbc.statistics import Known, edges, known
from lakeloom.sources.jdbc.types import spelled
from lakeloom.sources.landing import Batch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PART_ROWS = 100_000  # fewer are read by one connection in about a second
MOST = 32
RANGED = ("number", "date", "time", "zoned")


def wanted(config: JdbcConfig, types: Mapping[str, str]) -> str | None:
    """Return the column that the source itself divides by, None where it names none.

    Raises
    ------
    SourceError
        LL-SOURCE-003 where it is not there, or can't be divided by.
    """
    column = config.partitions.column if config.partitions is not None else None
    if column is None:
        return None
    hashed = bucket(reveal(config.url), "c", 2) is not None
    return spelled(types, column, (*RANGED, "text") if hashed else RANGED)


def divided(session: SparkSession, config: JdbcConfig, types: Mapping[str, str], where: str, rows: int | None) -> Batch:
    """Return how the rows that `where` takes are read: the batch's words ``partitions``, ``snapshot``, ``unique``.

    Parameters
    ----------
    types : mapping
        Column → Spark's type.
    where : str
        The window.
    rows : int or None
        How many there are; None where it is not known yet.
    """
    about = known(session, config)
    one_state = shared(session, config) and config.connections != 1
    column = wanted(config, types) or _candidate(config, types, about)
    number = _number(session, config, one_state, rows)
    figures = {"row_count": "COUNT(*)"} if rows is None and config.partitions is None else {}
    ranged = column is not None and windows.family(types[column]) in RANGED
    in_place = one_state and rows is not None and about.blocks > 0 and wanted(config, types) is None
    if number > 1 and ranged and not in_place:
        name = quote_identifier(reveal(config.url), str(column))
        figures |= {"low_edge": f"MIN({name})", "high_edge": f"MAX({name})"}
    found = measured(session, config, figures, where) if figures and number > 1 else {}
    if "row_count" in found:
        number = min(number, _parts(int(float(found["row_count"] or 0))))
    if in_place:
        parts = windows.blocks(about.blocks, number)
    else:
        parts = _by_column(session, config, types, column, number, found, whole=rows is not None)
    told: Batch = {"partitions": [windows.both(where, each) for each in parts]}
    if one_state and len(parts) > 1:
        told["snapshot"] = True
    columns = {name.lower() for name in types}
    if about.key and {name.lower() for name in about.key} <= columns:
        told["unique"] = True
    return told


def _parts(rows: int) -> int:
    return rows // PART_ROWS + 1


def _number(session: SparkSession, config: JdbcConfig, one_state: bool, rows: int | None) -> int:
    """Return into how many parts a read is divided at most."""
    # Of the connections that the source may have, one holds the state that the others see.
    most = (config.connections - one_state) if config.connections is not None else 1000
    if config.deletes is not None and not one_state:
        return 1  # a row that moves between two parts would be taken for deleted
    if config.partitions is not None:
        return max(1, min(config.partitions.number, most))
    if is_embedded(reveal(config.url)) or (config.incremental is None and not one_state):
        return 1
    cores = 2 if is_connect(session) else session.sparkContext.defaultParallelism
    most = min(most, MOST, 2 * cores)
    return max(1, most if rows is None else min(most, _parts(rows)))


def _candidate(config: JdbcConfig, types: Mapping[str, str], about: Known) -> str | None:
    """Return the column to divide by where none is named: a key of one column, else the watermark."""
    named = [keys[0] for keys in (about.key, config.keys) if len(keys) == 1]
    if config.incremental is not None:
        named.append(config.incremental.by)
    url = reveal(config.url)
    spellings = {name.lower(): name for name in types}
    for name in named:
        found = spellings.get(name.lower())
        of = windows.family(types[found]) if found else None
        if of in RANGED or (of == "text" and bucket(url, "c", 2)):
            return found
    return None


def _by_column(
    session: SparkSession,
    config: JdbcConfig,
    types: Mapping[str, str],
    column: str | None,
    number: int,
    found: Mapping[str, str | None],
    *,
    whole: bool,
) -> list[str]:
    url = reveal(config.url)
    if column is None or number == 1:
        return [windows.EVERY_ROW]
    name, of = quote_identifier(url, column), str(windows.family(types[column]))
    hashed = bucket(url, name, number)
    if of == "text" and hashed is not None:
        return windows.buckets(name, hashed, number)
    told = edges(session, config, column, number, of) if whole else []
    if told:
        return windows.between(name, told, of, literals(url))
    return windows.ranges(name, found.get("low_edge"), found.get("high_edge"), number, of, literals(url))
