"""How the objects of an export are named, and what its manifests say.

::

    <folder>/[day=2026-01-05/]<export>-<epoch>-v<version>-<task>-<number>-<hash>.parquet
    <folder>/_manifests/<epoch>.json       the objects of one execution
    <folder>/_manifest.json                put last: which executions' objects are the table now

A name holds a hash of the object's content, so that none is ever written over by another one. Names that begin with
``_`` are passed over by what reads a folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from urllib.parse import quote

from lakeloom.core.errors import SinkError
from lakeloom.sinks.base import Shipment

NEWEST = "_manifest.json"
FOLDER = "_manifests/"
NOTHING = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """One object of an execution: its key below the export's folder, and what is in it."""

    key: str
    rows: int
    size_bytes: int
    md5: str


@dataclass(frozen=True)
class Manifest:
    """What one execution put there, or what is there now.

    Attributes
    ----------
    objects : tuple of Part
        Of this execution.
    manifests : tuple of str
        Of the newest one alone: the keys of all manifests whose objects are the table now, oldest first.
    total_rows, total_bytes : int
        Of all of them.
    """

    export: str
    epoch: int
    run: str
    table: str
    table_version: int
    mode: str
    format: str
    at: str
    columns: dict[str, str]
    rows: int
    size_bytes: int
    objects: tuple[Part, ...] = ()
    manifests: tuple[str, ...] = ()
    total_rows: int = 0
    total_bytes: int = 0

    def serves(self, shipment: Shipment) -> bool:
        """Return whether it is of this very execution."""
        return (self.export, self.epoch, self.run) == (shipment.export, shipment.epoch, shipment.run)

    @property
    def epochs(self) -> set[int]:
        """The executions whose objects are the table now."""
        return {int(key.removeprefix(FOLDER).partition(".")[0]) for key in self.manifests}

    def text(self) -> bytes:
        """Return the object's content."""
        told = asdict(self)
        return (json.dumps({"version": 1} | told, indent=1) + "\n").encode()

    @classmethod
    def of(cls, content: bytes, place: str) -> Manifest:
        """Read what `text` wrote; raises LL-SINK-003 for anything else."""
        try:
            told = json.loads(content)
            parts = tuple(Part(**each) for each in told.pop("objects"))
            assert told.pop("version") == 1
            return cls(objects=parts, manifests=tuple(told.pop("manifests")), **told)
        except (ValueError, TypeError, KeyError, AttributeError, AssertionError):
            raise SinkError(
                "LL-SINK-003", f"{place} is no manifest of an export", where=place,
                fix="take another folder, or move it away",
            ) from None  # fmt: skip


def manifest_of(epoch: int) -> str:
    """Return the key of an execution's manifest."""
    return f"{FOLDER}{epoch:08d}.json"


def stem(shipment: Shipment) -> str:
    """Return what the names of an execution's objects begin with, behind their partition."""
    return f"{shipment.export}-{shipment.epoch:08d}-v{shipment.version}"


def epoch_of(key: str, export: str) -> int | None:
    """Return the execution that an object below the folder is of; None for what is none of this export's.

    Examples
    --------
    >>> epoch_of("day=1/daily-00000003-v12-00000-000-0a1b2c3d.csv.gz", "daily")
    3
    >>> epoch_of("_manifests/00000003.json", "daily"), epoch_of("daily-notes.csv", "daily")
    (3, None)
    """
    name = key.rpartition("/")[2]
    found = re.fullmatch(rf"{re.escape(export)}-(\d{{8,}})-v\d+-\d{{5,}}-\d{{3,}}-[0-9a-f]{{8}}\.[a-z.]+", name)
    found = found or re.fullmatch(rf"{FOLDER}(\d{{8,}})\.json", key)
    return int(found.group(1)) if found else None


def partition(columns: tuple[str, ...], values: list[str | None]) -> str:
    """Return the folder of a partition, as Hive names it.

    Examples
    --------
    >>> partition(("day", "of"), ["2026-01-05", "a/b"]), partition(("day",), [None])
    ('day=2026-01-05/of=a%2Fb/', 'day=__HIVE_DEFAULT_PARTITION__/')
    """

    def each() -> Iterator[str]:
        for column, value in zip(columns, values, strict=True):
            told = NOTHING if value is None or value == "" else quote(value, safe=" -_.,+@()!$'~")
            yield f"{quote(column, safe=' -_.')}={told}/"

    return "".join(each())
