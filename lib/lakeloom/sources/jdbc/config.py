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
from lakeloom.sources.jdbc.tls import Tls

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
    """How a read is divided, where that is not to be found out.

    Attributes
    ----------
    column : str, optional
        Ranges of a number, date or time, or groups of a text; without it a way is chosen.
    number : int
        How many, one connection each; 1 reads by a single statement.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    number: int = Field(ge=1, le=1000)


class Tunnel(BaseModel):
    """A machine that the database is reached through by SSH; its host key must be known.

    Attributes
    ----------
    host, user : str
    port : int
    key : str, optional
        The file of a private key without passphrase; the agent's and the user's own without it.
    known_hosts : str, optional
        A file of host keys; the user's own without it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_-]*$")
    user: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._@-]*$")
    port: int = Field(default=22, ge=1, le=65_535)
    key: str | None = None
    known_hosts: str | None = None


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
    columns : tuple of str
        What is read of a table; all by default.
    where : str, optional
        An SQL condition of the database on the rows that are read.
    properties : dict
        More of the driver's properties.
    keys : tuple of str
        Columns that identify a row; spares a sort where the table has no primary key.
    deletes : str, optional
        A column of bronze that is to say what was done to a row: ``insert``, ``update`` or ``delete``, found by
        comparing the whole table by its keys.
    incremental : Incremental, optional
        Without it the whole table is compared.
    partitions : Partitions, optional
        Without it the number of rows and the table's statistics decide.
    tls : Tls or 'off', optional
        How the server is verified; by default it is, unless it is on this machine.
    tunnel : Tunnel, optional
        A machine that the database is reached through.
    connections : int, optional
        How many connections may be open at once in one run, over all sources of the database.
    fetch_rows : int
        Rows a round trip of the driver.
    by : str
        ``auto``: rows of PostgreSQL come as Arrow where that gives the same and is quicker; ``jdbc``: all come through
        the driver.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: Literal["jdbc"]
    url: Text
    driver: str | None = None
    table: str | None = None
    query: str | None = None
    columns: tuple[str, ...] = ()
    where: str | None = None
    user: Text | None = None
    password: Text | None = None
    properties: dict[str, Text] = {}
    keys: tuple[str, ...] = ()
    deletes: str | None = None
    incremental: Incremental | None = None
    partitions: Partitions | None = None
    tls: Tls | Literal["off"] | None = None
    tunnel: Tunnel | None = None
    connections: int | None = Field(default=None, ge=1)
    fetch_rows: int = Field(default=10_000, ge=1)
    by: Literal["auto", "jdbc"] = "auto"

    @model_validator(mode="after")
    def _fits(self) -> JdbcConfig:
        if (self.table is None) == (self.query is None):
            raise ValueError("a source has either 'table' or 'query'")
        if not reveal(self.url).startswith(("jdbc:", "${")):
            raise ValueError("the url starts with jdbc:")
        if self.query is not None and ";" in self.query:
            raise ValueError("the query is one SELECT, without a semicolon")
        if self.where is not None and any(sign in self.where for sign in (";", "--", "/*")):
            raise ValueError("'where' is one condition, without semicolons and comments")
        if self.deletes is not None and (not self.keys or self.incremental is not None):
            raise ValueError("'deletes' compares the whole table by its keys: it goes with 'keys', not 'incremental'")
        if self.query is not None and (self.columns or self.where):
            raise ValueError("a 'query' says its columns and its condition itself")
        by = (self.incremental.by,) if self.incremental is not None else ()
        absent = {name.lower() for name in (*self.keys, *by)} - {name.lower() for name in self.columns}
        if self.columns and absent:
            raise ValueError(f"'columns' lacks {', '.join(sorted(absent))}: keys and watermark are read too")
        named = [*(self.table or "").split("."), *self.keys, *self.columns, self.deletes]
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
