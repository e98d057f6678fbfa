"""AWS Secrets Manager, by boto3: ``aws://region`` or ``aws://region/prefix``; ``scope/key`` is the secret's name.

Credentials and endpoint are found by the SDK's own chain. Source: AWS Secrets Manager's API reference (GetSecretValue).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult

from lakeloom.config.vaults.base import silent


class SecretsManager:
    """The secrets of one region."""

    def __init__(self, place: SplitResult, options: Mapping[str, str]) -> None:
        self._region, self._prefix, self._options = place.netloc or None, place.path.lstrip("/"), options

    def read(self, name: str) -> str | None:
        """Return the secret's text; see `lakeloom.config.vaults.base.Vault`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.get_secret_value(SecretId=f"{self._prefix}{name}")
        except ClientError as cause:
            code = str(cause.response.get("Error", {}).get("Code", ""))
            if code == "ResourceNotFoundException":
                return None
            raise silent("aws", code) from None
        except BotoCoreError as cause:
            raise silent("aws", type(cause).__name__) from None
        text = answer.get("SecretString")
        return str(text) if text is not None else bytes(answer["SecretBinary"]).decode()

    @cached_property
    def _client(self) -> Any:
        import boto3

        return boto3.client("secretsmanager", region_name=self._region, endpoint_url=self._options.get("endpoint"))
