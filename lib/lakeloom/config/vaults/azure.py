"""Azure Key Vault: ``azure://name.vault.azure.net``; the newest version of ``scope-key`` (its names have no slash).

Who asks is found by azure-identity's own chain. Source: Key Vault's REST reference (Get Secret, 7.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, quote

from lakeloom.config.vaults.base import get, silent

_SCOPE = "https://vault.azure.net/.default"


class KeyVault:
    """One vault; ``?endpoint=`` names another address, ``&token=`` a file with a bearer token."""

    def __init__(self, place: SplitResult, options: Mapping[str, str]) -> None:
        self._at, self._options = options.get("endpoint", f"https://{place.netloc}"), options

    def read(self, name: str) -> str | None:
        """Return the secret's text; see `lakeloom.config.vaults.base.Vault`."""
        secret = quote(name.replace("/", "-").replace("_", "-"), safe="")
        headers = {"Authorization": f"Bearer {self._token()}"}
        told = get(f"{self._at}/secrets/{secret}?api-version=7.4", headers, "azure")
        return str(told["value"]) if told else None

    def _token(self) -> str:
        if "token" in self._options:
            return Path(self._options["token"]).read_text(encoding="utf-8").strip()
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import DefaultAzureCredential

        try:
            return str(DefaultAzureCredential().get_token(_SCOPE).token)
        except ClientAuthenticationError as cause:
            raise silent("azure", type(cause).__name__) from None
