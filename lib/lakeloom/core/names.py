"""Names of tables and versions: ``layer.name``, ``layer.name@7``, ``@2026-01-31T12:00:00Z``, ``@tag``.

A name becomes a path and an SQL identifier, so nothing but letters, digits and underscores is
taken: a name can neither leave the storage root nor carry SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lakeloom.core.errors import TableError

LAYERS = ("bronze", "silver", "gold", "features", "datasets", "quarantine", "aside", "meta")
# What a step may write beside tables.
NOT_TABLES = ("models", "tuning", "upkeep", "exports")
# A tag's name: what can stand behind the @ and is neither a number nor a time.
TAG = r"^[A-Za-z](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def is_identifier(text: str) -> bool:
    """Return whether `text` is a plain identifier of at most 128 characters."""
    return _IDENTIFIER.fullmatch(text) is not None


def quoted(column: str) -> str:
    """Return a column's name as Spark SQL writes it, whatever is in it."""
    return "`" + column.replace("`", "``") + "`"


@dataclass(frozen=True, order=True)
class TableName:
    """A table: its layer and its name in that layer."""

    layer: str
    name: str

    def __post_init__(self) -> None:
        if self.layer not in LAYERS or not is_identifier(self.name):
            raise TableError(
                "LL-TABLE-001",
                f"'{self.layer}.{self.name}' is not a table's name: the layer is one of {', '.join(LAYERS)},"
                " the name letters, digits and underscores",
                fix="name it like silver.flights",
            )

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Read ``layer.name``; raises LL-TABLE-001."""
        layer, _, name = text.partition(".")
        return cls(layer, name)

    @property
    def quarantine(self) -> TableName:
        """The table that takes this table's broken rows."""
        return TableName("quarantine", f"{self.layer}__{self.name}")

    @property
    def aside(self) -> TableName:
        """The table that keeps the changes which left no row in this one: deletions and repetitions."""
        return TableName("aside", f"{self.layer}__{self.name}")

    def __str__(self) -> str:
        return f"{self.layer}.{self.name}"


@dataclass(frozen=True)
class TableRef:
    """A table at a version (number), a time (UTC) or a tag; none of them means the newest."""

    table: TableName
    version: int | None = None
    time: datetime | None = None
    tag: str | None = None

    @classmethod
    def parse(cls, text: str) -> TableRef:
        """Read ``layer.name[@version|@time|@tag]``; raises LL-TABLE-001 and LL-TABLE-002."""
        name, at, point = text.partition("@")
        table = TableName.parse(name)
        if not at:
            return cls(table)
        if point.isdigit():
            return cls(table, version=int(point))
        if is_identifier(point.replace("-", "_").replace(".", "_")):
            return cls(table, tag=point)
        try:
            time = datetime.fromisoformat(point)
        except ValueError:
            raise TableError(
                "LL-TABLE-002",
                f"'{point}' is not a version: a number, an ISO time or a tag is",
                where=text,
                fix="write table@7, table@2026-01-31T12:00:00Z or table@tag",
            ) from None
        return cls(table, time=time if time.tzinfo else time.replace(tzinfo=UTC))

    @property
    def pointed(self) -> bool:
        """Whether a version, a time or a tag is named."""
        return self.version is not None or self.time is not None or self.tag is not None

    def at(self, point: str) -> TableRef:
        """Return the table at `point`, unless it names one itself; an empty point changes nothing.

        Examples
        --------
        >>> TableRef.parse("silver.x").at("release-7").tag, TableRef.parse("silver.x@3").at("release-7").version
        ('release-7', 3)
        """
        return self if self.pointed or not point else TableRef.parse(f"{self.table}@{point}")
