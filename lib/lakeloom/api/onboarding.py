"""``init --from``: a real source is looked at, and a project that lands it is written, or added to one that is there.

What a person wrote stays as it is: entries are added as text. What is written passes `check`, or nothing is written. A
secret's value never is: URL and options keep a placeholder, and what is to be set before the first run is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from lakeloom.api.addition import Onboarded, Target
from lakeloom.api.looking_files import look_at_files
from lakeloom.api.looking_tables import look_at_database
from lakeloom.api.seen import Seen
from lakeloom.config.placeholders import resolve
from lakeloom.core.errors import ConfigError
from lakeloom.core.kinds import load
from lakeloom.core.names import is_identifier
from lakeloom.core.secrets import Secret
from lakeloom.objects import STORES
from lakeloom.objects.address import Address, is_address
from lakeloom.sources.looking import credentials
from lakeloom.sources.looking.groups import named

_JDBC_OPTIONS = ("user", "password", "driver")


def onboard(
    name: str, origin: str, folder: Path, *, options: Mapping[str, str] | None = None, tables: Sequence[str] = ()
) -> Onboarded:
    """Look at a source and write the config of the project `name` below `folder`, or add to it.

    Parameters
    ----------
    origin : str
        A folder, file, glob, address of objects or JDBC URL; it may hold placeholders.
    options : mapping, optional
        Of a JDBC URL user, password, driver and the driver's own properties; of an address the options of its store.
    tables : sequence of str
        Of a JDBC URL: tables or schemas, as ``orders`` or ``sales.*``.

    Raises
    ------
    ConfigError
        LL-CONF-014 for a name that is not plain, LL-CONF-023 where a section can't be added to, LL-CONF-024 for a
        signed address, LL-CONF-008 for a secret that is not set.
    SourceError
        LL-SOURCE-001 to LL-SOURCE-005 where it can't be reached or read, LL-SOURCE-008 where it can't be told.
    """
    if not is_identifier(name):
        raise ConfigError("LL-CONF-014", f"'{name}' is not a name", fix="use letters, digits and underscores")
    project = Target(folder, name)
    stores: dict[str, Any] = {}
    if origin.startswith(("jdbc:", "${")):
        seen = _database(project, origin, dict(options or {}), tables)
    else:
        if tables:
            raise ConfigError("LL-CONF-004", "--table is for a database", where="--table", fix="leave it out")
        credentials.refuse_signed(origin)
        stores = _store(origin, dict(options or {}), name)
        seen = look_at_files(origin, folder, project.stores | _given(stores, options or {}), project.spark())
    return project.write(seen, stores)


def _database(project: Target, origin: str, options: dict[str, str], tables: Sequence[str]) -> list[Seen]:
    from lakeloom.sources.jdbc import JdbcConfig

    parts = credentials.parted(origin)
    given = parts.given | options
    scope = named(project.name)
    entry: dict[str, Any] = {"kind": "jdbc", "url": parts.url}
    asked: dict[str, Any] = dict(entry)
    for key in _JDBC_OPTIONS:
        if key in given:
            value = given.pop(key)
            entry[key] = value if key == "driver" else credentials.written(key, value, scope)
            asked[key] = resolve(value, f"--option {key}")
    if given:
        entry["properties"] = credentials.options_of(given, frozenset(), scope)
        asked["properties"] = {key: resolve(value, f"--option {key}") for key, value in given.items()}
    asked["url"] = resolve(parts.url, "--from")
    if isinstance(asked.get("password"), str):
        asked["password"] = Secret(asked["password"])
    config = JdbcConfig.model_validate(asked | {"table": "tables"})
    return look_at_database(config, entry, tables, project.folder, project.spark())


def _store(origin: str, options: dict[str, str], name: str) -> dict[str, Any]:
    """Return the entry of ``stores:`` that the options make, none without any."""
    if not options:
        return {}
    if not is_address(origin):
        raise ConfigError("LL-CONF-004", "--option is for databases and stores", where="--option", fix="leave it out")
    address = Address.parse(origin if origin.partition("://")[2].strip("/").count("/") else f"{origin}/**", "--from")
    config = load(STORES[address.scheme]).Config
    secret = frozenset(
        key for key, about in config.model_fields.items() if Secret in _kinds(about.annotation)
    )  # fmt: skip
    return {address.root: credentials.options_of(options, secret, named(name))}


def _kinds(annotation: Any) -> set[Any]:
    found = {annotation}
    for each in get_args(annotation):
        found |= _kinds(each)
    return found


def _given(stores: Mapping[str, Any], options: Mapping[str, str]) -> dict[str, Any]:
    """Return the entry of ``stores:`` with the values as they were given, to look with."""
    found: dict[str, Any] = {}
    for root in stores:
        inner: dict[str, Any] = {}
        for key, value in options.items():
            head, _, rest = key.partition(".")
            if rest:
                inner.setdefault(head, {})[rest] = value
            else:
                inner[head] = value
        found[root] = inner
    return found
