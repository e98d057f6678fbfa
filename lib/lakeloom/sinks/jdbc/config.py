"""What an export to a database may say."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from lakeloom.core.names import is_identifier
from lakeloom.core.secrets import Secret, reveal
from lakeloom.sources.jdbc.tls import Tls
from lakeloom.tables.words import Strict

Text = str | Secret


class JdbcSinkConfig(Strict):
    """Which table of which database, and how rows go into it.

    Attributes
    ----------
    url : str
        Starts with ``jdbc:``.
    driver : str, optional
        The driver's class, where the driver does not announce itself.
    user, password : str or Secret, optional
        Best as ``${secret:scope/key}``.
    properties : dict
        More of the driver's properties.
    tls : Tls or 'off', optional
        As of a source: over a network certificate and host are verified unless this or a property says otherwise.
    table : str
        ``name`` or ``schema.name``.
    mode : {'insert', 'upsert'}
        ``insert`` fills a table that is the export's own; ``upsert`` writes by key into one that may be shared.
    keys : tuple of str
        Columns that tell rows apart.
    vanished : {'keep', 'delete'}
        Of ``upsert`` with the whole table: what becomes of keys that are in it no more.
    adopt : bool
        That rows which stand there already may be replaced, although no export has put them there.
    create : bool
        Make the table where it is missing.
    types : dict
        Column → SQL type, where ``create`` is to take another than its own.
    connections : int
        At most so many at a time.
    batch_rows : int
        Rows a round trip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    url: Text
    driver: str | None = None
    user: Text | None = None
    password: Text | None = None
    properties: dict[str, Text] = {}
    tls: Tls | Literal["off"] | None = None
    table: str
    mode: Literal["insert", "upsert"] = "insert"
    keys: tuple[str, ...] = ()
    vanished: Literal["keep", "delete"] = "keep"
    adopt: bool = False
    create: bool = False
    types: dict[str, str] = {}
    connections: int = Field(default=4, ge=1, le=64)
    batch_rows: int = Field(default=1000, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> JdbcSinkConfig:
        if not reveal(self.url).startswith(("jdbc:", "${")):
            raise ValueError("the url starts with jdbc:")
        for name in self.table.split("."):
            if not is_identifier(name) and not name.startswith("${"):
                raise ValueError(f"'{name}' is not a plain identifier: it becomes SQL")
        if self.mode == "upsert" and not self.keys:
            raise ValueError("mode: upsert wants keys:")
        if self.vanished == "delete" and self.mode != "upsert":
            raise ValueError("vanished: is a word of mode: upsert; insert replaces the whole table")
        if self.types and not self.create:
            raise ValueError("types: says how create: true makes the table")
        for kind in self.types.values():
            if ";" in kind or "--" in kind:
                raise ValueError("a type is one word of SQL, with its length in brackets")
        return self
