"""Settings of stores → a store: the entry of ``stores:`` whose address is the longest beginning of the object's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from lakeloom.config.placeholders import resolve
from lakeloom.core.errors import ConfigError
from lakeloom.core.kinds import load
from lakeloom.objects import STORES
from lakeloom.objects.address import Address
from lakeloom.objects.base import Store, StoreConfig, WritableStore


@dataclass(frozen=True)
class Opening:
    """All that opens a store, also in another process: secrets travel and are never shown."""

    scheme: str
    bucket: str
    config: StoreConfig

    def open(self) -> Store:
        """Return the store; its client is made at the first call."""
        return cast("Store", load(STORES[self.scheme])(self.bucket, self.config))

    def writing(self) -> WritableStore:
        """Return the store to be written to; raises LL-CONF-004 for a web server, which takes nothing."""
        store = self.open()
        if not hasattr(store, "put"):
            raise ConfigError(
                "LL-CONF-004", f"{self.scheme}:// takes no objects", where=f"{self.scheme}://{self.bucket}",
                fix=f"write to {', '.join(f'{each}://' for each in STORES if each not in ('http', 'https'))}",
            )  # fmt: skip
        return cast("WritableStore", store)


def opening(address: Address, stores: Mapping[str, Mapping[str, Any]]) -> Opening:
    """Return what opens the store of an address.

    Parameters
    ----------
    stores : mapping
        ``stores:`` of the config: the beginning of an address → the options of its kind, placeholders unresolved.

    Raises
    ------
    ConfigError
        LL-CONF-004 for a wrong option, LL-CONF-008 for a secret that is not set.
    """
    root = address.root
    named = max((each for each in stores if _holds(each, root)), key=len, default=None)
    where = f"stores.{named}"
    kind = load(STORES[address.scheme])
    try:
        config = kind.Config.model_validate(resolve(dict(stores[named]), where) if named else {})
    except ValidationError as cause:
        first = cause.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(
            "LL-CONF-004", f"{place}: {first['msg']}", where=where,
            fix=f"the options of {address.scheme}:// are {', '.join(kind.Config.model_fields)}",
        ) from None  # fmt: skip
    return Opening(address.scheme, address.bucket, config)


def _holds(entry: str, root: str) -> bool:
    entry = entry.rstrip("/")
    return root == entry or root.startswith(f"{entry}/") or entry == root.partition("://")[0] + ":"
