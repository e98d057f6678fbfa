"""Databricks' secret scopes: ``databricks:``; ``scope/key`` as they are named there.

On a workspace's compute its own ``dbutils`` answers; elsewhere its REST API, by DATABRICKS_HOST and DATABRICKS_TOKEN.
Source: Databricks' REST reference (secrets/get).
"""

from __future__ import annotations

import base64
import importlib
import os
from collections.abc import Mapping
from urllib.parse import SplitResult, urlencode

from lakeloom.config.vaults.base import get, silent


class Scopes:
    """The scopes of one workspace."""

    def __init__(self, place: SplitResult, options: Mapping[str, str]) -> None:
        del place, options

    def read(self, name: str) -> str | None:
        """Return the secret's text; see `lakeloom.config.vaults.base.Vault`."""
        scope, _, key = name.partition("/")
        if "DATABRICKS_RUNTIME_VERSION" in os.environ:
            secrets = importlib.import_module("databricks.sdk.runtime").dbutils.secrets
            try:
                return str(secrets.get(scope=scope, key=key))
            except Exception as cause:  # dbutils raises what Py4J or the SDK bring up, without a common base
                if "does not exist" in str(cause).lower():
                    return None
                raise silent("databricks", type(cause).__name__) from None
        host, token = os.environ.get("DATABRICKS_HOST"), os.environ.get("DATABRICKS_TOKEN")
        if not host or not token:
            raise silent("databricks", "DATABRICKS_HOST or DATABRICKS_TOKEN is not set")
        asked = urlencode({"scope": scope, "key": key})
        at = host.rstrip("/") if "://" in host else f"https://{host}"
        told = get(f"{at}/api/2.0/secrets/get?{asked}", {"Authorization": f"Bearer {token}"}, "databricks")
        return base64.b64decode(told["value"]).decode() if told else None
