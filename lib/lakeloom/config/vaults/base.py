"""What a vault offers, what stops it, and one request over HTTPS."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import SplitResult

from lakeloom.core.errors import ConfigError

_TIMEOUT_S = 20.0


class Vault(Protocol):
    """One place that keeps secrets."""

    def __init__(self, place: SplitResult, options: Mapping[str, str]) -> None: ...

    def read(self, name: str) -> str | None:
        """Return the secret ``scope/key``, None where it is not kept here.

        Raises
        ------
        ConfigError
            LL-CONF-008 where the vault can't be reached, or refuses.
        """


def silent(vault: str, reason: str) -> ConfigError:
    """Return the error for a vault that does not answer: neither the secret nor the vault's words stand in it."""
    fix = f"check what this machine may read there, and LAKELOOM_SECRETS, which names {vault}"
    return ConfigError("LL-CONF-008", f"{vault} does not give its secrets ({reason})", where=vault, fix=fix)


def get(url: str, headers: Mapping[str, str], vault: str) -> dict[str, Any] | None:
    """Return what a vault's API answers, None for 404; raises LL-CONF-008 for all else."""
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310  the vault's own address
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as cause:
        with cause:
            if cause.code == 404:
                return None
            raise silent(vault, f"HTTP {cause.code}") from None
    except (OSError, ValueError, http.client.HTTPException) as cause:
        raise silent(vault, type(cause).__name__) from None
