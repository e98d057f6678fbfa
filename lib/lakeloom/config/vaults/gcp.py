"""Google Secret Manager: ``gcp://project``; the newest version of the secret ``scope-key`` (its names have no slash).

Who asks is found by google-auth's own chain. Source: Secret Manager's REST reference (secrets.versions.access).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, quote

from lakeloom.config.vaults.base import get, silent

_ENDPOINT = "https://secretmanager.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class SecretManager:
    """The secrets of one project; ``?endpoint=`` names another address, ``&token=`` a file with a bearer token."""

    def __init__(self, place: SplitResult, options: Mapping[str, str]) -> None:
        self._project, self._options = place.netloc, options

    def read(self, name: str) -> str | None:
        """Return the secret's text; see `lakeloom.config.vaults.base.Vault`."""
        secret = quote(name.replace("/", "-"), safe="")
        at = f"{self._options.get('endpoint', _ENDPOINT)}/v1/projects/{quote(self._project)}/secrets/{secret}"
        told = get(f"{at}/versions/latest:access", {"Authorization": f"Bearer {self._token()}"}, "gcp")
        return base64.b64decode(told["payload"]["data"]).decode() if told else None

    def _token(self) -> str:
        if "token" in self._options:
            return Path(self._options["token"]).read_text(encoding="utf-8").strip()
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        try:
            credentials, _ = google.auth.default(scopes=[_SCOPE])
            credentials.refresh(Request())
        except GoogleAuthError as cause:
            raise silent("gcp", type(cause).__name__) from None
        return str(credentials.token)
