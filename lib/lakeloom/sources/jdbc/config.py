"""What ``sources.yml`` says of a source of kind ``jdbc``.

Refused: identifiers that are no plain names (they become SQL), a query of several statements.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakeloom.core import durations
from lakeloom.core.errors import ConfigError
from lakeloom.core.names import is_identifier
from lakeloom.core.secrets import Secret, reveal

Text = str | Secret


class Incremental(BaseModel):
    """The watermark column, and how far behind it rows may still appear.

    Attributes
    ----------
    by : str
        A number, date, time or text that only grows when a row changes.
    overlap : str or int
        A duration for dates and times, units for numbers; read again each time, known rows dropped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: str
    overlap: str | int = 0

    @property
    def units(self) -> int:
        """The overlap in seconds, or in units of the number."""
        return self.overlap if isinstance(self.overlap, int) else durations.parse(self.overlap).seconds


class Partitions(BaseModel):
    """Into how many ranges of which column (number, date or time) a read is divided."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    number: int = Field(ge=1, le=1000)


class JdbcConfig(BaseModel):
    """What ``sources.yml`` says of a source of kind ``jdbc``.

    Attributes
    ----------
    url : str
        Starts with ``jdbc:``.
    driver : str, optional
        The driver's class, where the driver does not announce itself.
    table, query : str
        One of them: ``name`` or ``schema.name``, or a SELECT.
    user, password : str or Secret, optional
        Best as ``${secret:scope/key}``.
    properties : dict
        More of the driver's properties.
    keys : tuple of str
        Columns that identify a row; spares a sort where there is no watermark.
    incremental : Incremental, optional
        Without it the whole table is compared.
    partitions : Partitions, optional
        Without it one connection reads all.
    fetch_rows : int
        Rows a round trip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Literal["jdbc"]
    url: Text
    driver: str | None = None
    table: str | None = None
    query: str | None = None
    user: Text | None = None
    password: Text | None = None
    properties: dict[str, Text] = {}
    keys: tuple[str, ...] = ()
    incremental: Incremental | None = None
    partitions: Partitions | None = None
    fetch_rows: int = Field(default=10_000, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> JdbcConfig:
        if (self.table is None) == (self.query is None):
            raise ValueError("a source has either 'table' or 'query'")
        if not reveal(self.url).startswith(("jdbc:", "${")):
            raise ValueError("the url starts with jdbc:")
        if self.query is not None and ";" in self.query:
            raise ValueError("the query is one SELECT, without a semicolon")
        named = [*(self.table or "").split("."), *self.keys]
        named += [
            each
            for each in (self.incremental and self.incremental.by, self.partitions and self.partitions.column)
            if each
        ]
        for name in filter(None, named):
            if not is_identifier(name) and not name.startswith("${"):
                raise ConfigError(
                    "LL-CONF-014",
                    f"'{name}' is not a plain identifier: it becomes SQL",
                    where="jdbc source",
                    fix="use letters, digits and underscores; quote other names inside a 'query'",
                )
        if self.incremental is not None and isinstance(self.incremental.overlap, str):
            durations.parse(self.incremental.overlap, "incremental.overlap")
        return self
