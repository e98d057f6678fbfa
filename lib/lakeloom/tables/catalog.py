"""Catalogs: each published table under its own name, for engines that know no storage root.

The names and statements are pure. A table is registered as an external one at its path: the catalog
holds the name, Delta's log all else (schema, comments, properties), so that nothing can drift. What
is registered already is left as it is, and a name that somebody else's table has is refused.

Source: Spark's CREATE TABLE … LOCATION; three-level names are Unity Catalog's (unverified: none could
be had where this was built).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import unquote, urlparse

from pydantic import AfterValidator, ConfigDict, model_validator

from lakeloom.core.errors import StoreError
from lakeloom.core.names import LAYERS, TableName, is_identifier
from lakeloom.objects.path import Location, beside
from lakeloom.store.describe import quoted
from lakeloom.store.lake import Lake
from lakeloom.tables.words import Strict

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Two steps that make one schema at once would meet in the metastore.
_REGISTERING = threading.Lock()
# With one of these the metastore is named: a server, or a database of one's own.
_METASTORE = (
    "spark.hadoop.hive.metastore.uris",
    "spark.hive.metastore.uris",
    "spark.hadoop.javax.jdo.option.ConnectionURL",
)


def _plain(name: str) -> str:
    if name and not is_identifier(name):
        raise ValueError("a name of letters, digits and underscores is wanted")
    return name


def _or_a_word(schema: dict[str, Any]) -> None:
    """Let editors take ``catalog: hive`` too."""
    full = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"enum": ["none", "hive"]}, full]


class CatalogSpec(Strict):
    """Where published tables are registered beside their paths.

    Attributes
    ----------
    kind : {'none', 'hive', 'unity'}
        ``none``: nowhere, a table is its path. ``hive``: a Hive metastore. ``unity``: Unity Catalog.
    name : str
        The catalog, for ``unity``.
    prefix : str
        Stands before each layer in the schema's name: several projects can share a metastore.
    """

    model_config = ConfigDict(json_schema_extra=_or_a_word)

    kind: Literal["none", "hive", "unity"] = "none"
    name: Annotated[str, AfterValidator(_plain)] = ""
    prefix: Annotated[str, AfterValidator(_plain)] = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"kind": raw} if isinstance(raw, str) else {} if raw is None else raw

    @model_validator(mode="after")
    def _named(self) -> CatalogSpec:
        if (self.kind == "unity") != bool(self.name):
            raise ValueError("unity wants the catalog's name, as {kind: unity, name: main}; no other kind has one")
        return self

    def schema_of(self, layer: str) -> str:
        """Return a layer's schema as SQL names it: ``silver``, or ``main.silver``."""
        schema = f"`{self.prefix}{layer}`"
        return f"`{self.name}`.{schema}" if self.kind == "unity" else schema

    def name_of(self, table: TableName) -> str:
        """Return a table's name in the catalog as SQL writes it, such as ```silver`.`orders```."""
        return f"{self.schema_of(table.layer)}.`{table.name}`"


def settings(spec: CatalogSpec, root: Location, overlay: dict[str, str]) -> dict[str, str]:
    """Return the Spark settings that the catalog needs, under those of the environment.

    Without a metastore of its own, Hive's is Derby embedded under the storage root: good for one
    process at a time.
    """
    if spec.kind != "hive":
        return overlay
    found = {"spark.sql.catalogImplementation": "hive", "spark.sql.warehouse.dir": str(beside(root) / "warehouse")}
    if not any(overlay.get(name) for name in _METASTORE):
        found[_METASTORE[-1]] = f"jdbc:derby:;databaseName={root / 'metastore'};create=true"
        # An empty database gets its tables when it is first used.
        found["spark.hadoop.datanucleus.schema.autoCreateAll"] = "true"
        found["spark.hadoop.hive.metastore.schema.verification"] = "false"
    return found | overlay


def statements(spec: CatalogSpec, table: TableName, path: str) -> list[str]:
    """Return the SQL that registers a table at its path; carried out twice it changes nothing."""
    return [
        f"CREATE SCHEMA IF NOT EXISTS {spec.schema_of(table.layer)}",
        f"CREATE TABLE IF NOT EXISTS {spec.name_of(table)} USING DELTA LOCATION {quoted(path)}",
    ]


def register(session: SparkSession, lake: Lake, spec: CatalogSpec, tables: Iterable[str]) -> list[str]:
    """Register tables under their names and return those that were not registered before.

    Parameters
    ----------
    session : SparkSession
        With the catalog's `settings`.
    tables : iterable of str
        Each ``layer.name``; what is no table of the lake is passed over.

    Raises
    ------
    StoreError
        LL-STORE-007 where the catalog can't be reached or refuses, LL-STORE-008 where the name is taken by
        another table.
    """
    if spec.kind == "none":
        return []
    with _REGISTERING:
        names = [TableName.parse(text) for text in tables if text.partition(".")[0] in LAYERS]
        return [str(table) for table in names if _register(session, spec, table, lake.path(table))]


def _register(session: SparkSession, spec: CatalogSpec, table: TableName, path: str) -> bool:
    name = spec.name_of(table)
    try:
        known = session.catalog.tableExists(name)
        for statement in () if known else statements(spec, table, path):
            session.sql(statement)
        place = _location(session, name) if known else path
    except Exception as cause:  # a metastore's failures have no common class; their text may name a password
        raise StoreError(
            "LL-STORE-007",
            f"{table} can't be registered as {name} ({type(cause).__name__})",
            where=str(table),
            fix="see whether the catalog answers and grants it (embedded Derby serves one process at a time), "
            "then run 'lakeloom catalog'",
        ) from cause
    if _plain_path(place) != _plain_path(path):
        raise StoreError(
            "LL-STORE-008",
            f"{name} is in the catalog already, as another table",
            where=str(table),
            fix="give the catalog a prefix:, or drop it there where it is a former place of this table",
        )
    return not known


def _location(session: SparkSession, name: str) -> str:
    """Return where a table of the catalog lies; empty for a view."""
    rows = session.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()
    return next((str(row["data_type"]) for row in rows if row["col_name"] == "Location"), "")


def _plain_path(place: str) -> str:
    """Return a local path without scheme, and an address of a store as it is."""
    parsed = urlparse(place)
    return unquote(parsed.path).rstrip("/") if parsed.scheme in ("", "file") else place.rstrip("/")
