"""The vaults that LAKELOOM_SECRETS names, one after the other: the first that keeps a secret gives it.

``LAKELOOM_SECRETS=/run/secrets aws://eu-west-1/shop/`` names a folder, then AWS. What a vault gave holds for some
minutes, so that a long run takes up a secret that was renewed, and a run of many steps asks once.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from lakeloom.config.vaults import VAULTS
from lakeloom.config.vaults.base import Vault
from lakeloom.core.kinds import pick

_HOLDS_S = 300.0
_KEPT: dict[tuple[str, str], tuple[float, str]] = {}
_LOCK = threading.Lock()


def ask(entries: str, name: str) -> str | None:
    """Return a secret, None where none of the vaults keeps it.

    Parameters
    ----------
    entries : str
        Addresses of vaults with blanks between them; a path is a folder, and one that is there may have blanks.
    name : str
        ``scope/key``.

    Raises
    ------
    ConfigError
        LL-CONF-008 where a vault can't be asked, LL-CONF-020 for an unknown kind.
    """
    for entry in [entries] if Path(entries).is_dir() else entries.split():
        found = _asked(entry, name)
        if found is not None:
            return found
    return None


def forget() -> None:
    """Forget what vaults gave: they are asked anew from now on."""
    with _LOCK:
        _KEPT.clear()


def _asked(entry: str, name: str) -> str | None:
    scheme, mark, _ = entry.partition(":")
    kind = scheme if mark and not entry.startswith(("/", ".")) else "file"
    if kind == "file":  # a file's content may change at any time, and is read as quickly as it is kept
        return vault_of(kind, entry.removeprefix("file://").removeprefix("file:")).read(name)
    with _LOCK:
        at, text = _KEPT.get((entry, name), (0.0, ""))
        if time.monotonic() - at < _HOLDS_S and at:
            return text
        found = vault_of(kind, entry).read(name)
        if found is not None:
            _KEPT[entry, name] = (time.monotonic(), found)
        return found


def vault_of(kind: str, entry: str) -> Vault:
    """Return the vault of an entry."""
    place = urlsplit(entry)
    return cast("Vault", pick(kind, VAULTS, "LAKELOOM_SECRETS")(place, dict(parse_qsl(place.query))))
