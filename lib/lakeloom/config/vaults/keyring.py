"""The desktop's own keyring, by the package keyring: ``keyring:``; the scope is the service, the key the user name."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult

from lakeloom.config.vaults.base import silent


class Keyring:
    """The keyring of whoever runs."""

    def __init__(self, place: SplitResult, options: Mapping[str, str]) -> None:
        del place, options

    def read(self, name: str) -> str | None:
        """Return the secret's text; see `lakeloom.config.vaults.base.Vault`."""
        import keyring
        from keyring.errors import KeyringError

        scope, _, key = name.partition("/")
        try:
            found = keyring.get_password(scope, key)
        except KeyringError as cause:
            raise silent("keyring", type(cause).__name__) from None
        return None if found is None else str(found)
