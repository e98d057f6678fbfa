"""Azure Blob Storage, ADLS among it, by azure-storage-blob: addresses as Hadoop writes them.

``abfss://container@account.dfs.core.windows.net/path``. Without a key or a signature the SDK asks the identity that
azure-identity finds, where that package is installed. Source: Azure's Blob service REST API (List Blobs, Get Blob).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from hashlib import file_digest, md5
from pathlib import Path
from typing import Any, ClassVar, cast

from lakeloom.core.errors import ConfigError
from lakeloom.core.secrets import reveal
from lakeloom.objects.base import Check, Found, MovedError, StoreConfig, TakenError, Text
from lakeloom.objects.faults import CUT_OFF, absent, cut_off, denied, unreachable

_DENIED = (401, 403)


class AzureConfig(StoreConfig):
    """What ``stores:`` says of a container of Azure.

    Attributes
    ----------
    key : str or Secret, optional
        The account's.
    signature : str or Secret, optional
        A shared access signature, instead of the key.
    anonymous : bool
        Without credentials, as for public containers.
    encryption_scope : str, optional
        The account's scope with whose key what is written is encrypted.
    """

    key: Text | None = None
    signature: Text | None = None
    anonymous: bool = False
    encryption_scope: str | None = None


class Azure:
    """One container of an account."""

    Config: ClassVar[type[StoreConfig]] = AzureConfig
    extra: ClassVar[str] = "azure"

    def __init__(self, bucket: str, config: AzureConfig) -> None:
        self._config = config
        self._container, _, self._host = bucket.partition("@")
        if not self._host:
            raise ConfigError(
                "LL-CONF-004", f"'{bucket}' names no account",
                fix="write abfss://container@account.dfs.core.windows.net/path",
            )  # fmt: skip

    def find(self, prefix: str) -> Iterator[Found]:
        """Yield the objects under a prefix; see `lakeloom.objects.base.Store`."""
        with self._coded():
            for blob in self._client.list_blobs(name_starts_with=prefix or None):
                if (blob.metadata or {}).get("hdi_isfolder") == "true":  # a folder of ADLS is listed as an empty blob
                    continue
                yield _found(blob)

    def level(self, prefix: str) -> Iterator[Found | str]:
        """Yield what lies directly under a prefix; see `lakeloom.objects.base.RootStore`."""
        from azure.storage.blob import BlobPrefix

        with self._coded():
            for blob in self._client.walk_blobs(name_starts_with=prefix or None, delimiter="/"):
                if isinstance(blob, BlobPrefix):
                    yield str(blob.name)
                elif (blob.metadata or {}).get("hdi_isfolder") != "true":
                    yield _found(blob)

    def head(self, key: str) -> Found | None:
        """Return an object as it is now; see `lakeloom.objects.base.RootStore`."""
        told = self._there(key, lambda blob: blob.get_blob_properties())
        with self._coded(key=key):
            return None if told is None or (told.metadata or {}).get("hdi_isfolder") == "true" else _found(told)

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes; see `lakeloom.objects.base.RootStore`."""
        return cast("bytes | None", self._there(key, lambda blob: bytes(blob.download_blob().readall())))

    def _there(self, key: str, ask: Callable[[Any], Any]) -> Any:
        from azure.core.exceptions import ResourceNotFoundError

        with self._coded(key=key):
            try:
                return ask(self._client.get_blob_client(key))
            except ResourceNotFoundError as cause:
                if _code(cause) == "ContainerNotFound":
                    raise
                return None

    def part(self, found: Found, start: int, end: int) -> bytes:
        """Return some bytes of an object; see `lakeloom.objects.base.Store`."""
        from azure.core import MatchConditions

        asked = {"offset": start, "length": end - start} if end > start else {}
        with self._coded(found):
            return bytes(
                self._client.download_blob(
                    found.key, etag=f'"{found.version}"', match_condition=MatchConditions.IfNotModified, **asked
                ).readall()
            )

    def check(self, found: Found) -> Check | None:
        """Return the MD5 that came with the blob, where its writer has sent one: the listing has told it."""
        return found.check

    def denies(self, found: Found) -> bool:
        """Return False: what a writer has sent is taken at its word."""
        return False

    def put(self, key: str, content: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Put an object; see `lakeloom.objects.base.WritableStore`."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

        whole, more = md5(content, usedforsecurity=False).digest(), dict[str, Any]()
        if over is not None:
            more = {"etag": f'"{over}"', "match_condition": MatchConditions.IfNotModified}
        with self._coded(key=key):
            try:
                return self._written(key, content, whole, overwrite=not new, **more)
            except ResourceExistsError:
                raise TakenError(key) from None
            except (ResourceModifiedError, ResourceNotFoundError) as cause:
                if over is None or _code(cause) == "ContainerNotFound":
                    raise
                raise TakenError(key) from None

    def upload(self, key: str, file: Path) -> str:
        """Put a file's content; see `lakeloom.objects.base.WritableStore`."""
        with file.open("rb") as stream:
            whole = file_digest(stream, "md5").digest()
            stream.seek(0)
            with self._coded(key=key):
                return self._written(key, stream, whole, overwrite=True, max_concurrency=4)

    def delete(self, key: str) -> None:
        """Take an object away; see `lakeloom.objects.base.WritableStore`."""
        from azure.core.exceptions import ResourceNotFoundError

        with self._coded(key=key), suppress(ResourceNotFoundError):
            self._client.delete_blob(key)

    def _written(self, key: str, content: Any, whole: bytes, **more: Any) -> str:
        from azure.storage.blob import ContentSettings

        if self._config.encryption_scope is not None:
            more["encryption_scope"] = self._config.encryption_scope
        # The MD5 is kept with the blob, so that whoever reads it can compare; each part is compared by the store.
        settings = ContentSettings(content_md5=bytearray(whole))
        blob = self._client.upload_blob(key, content, content_settings=settings, validate_content=True, **more)
        return str(blob.get_blob_properties().etag).strip('"')

    @cached_property
    def _client(self) -> Any:
        from azure.storage.blob import ContainerClient

        config = self._config
        account = self._host.partition(".")[0]
        where = config.endpoint.rstrip("/") + f"/{account}" if config.endpoint else f"https://{self._blobs}"
        more: dict[str, Any] = {"connection_verify": config.ca} if config.ca else {}
        more |= {"connection_timeout": config.connect_s, "read_timeout": config.read_s}
        more |= {
            "retry_total": 3,
            "initial_backoff": 0.5,
            "increment_base": 2,
        }  # by itself the SDK would try for a minute and more
        return ContainerClient(where, self._container, credential=self._credential(account), **more)

    @property
    def _blobs(self) -> str:
        return self._host.replace(".dfs.", ".blob.", 1)

    def _credential(self, account: str) -> Any:
        config = self._config
        if config.signature is not None:
            return reveal(config.signature)
        if config.key is not None:
            return {"account_name": account, "account_key": reveal(config.key)}
        if config.anonymous:
            return None
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    @contextmanager
    def _coded(self, found: Found | None = None, key: str = "") -> Iterator[None]:
        from azure.core.exceptions import AzureError, HttpResponseError, ResourceModifiedError, ResourceNotFoundError

        named = found.key if found else key
        place = f"abfss://{self._container}@{self._host}" + (f"/{named}" if named else "")
        try:
            yield
        except (ResourceNotFoundError, ResourceModifiedError):
            if found is None:
                raise absent(place) from None
            raise MovedError(found.key) from None
        except HttpResponseError as cause:
            if cause.status_code in _DENIED:
                raise denied(place) from None
            raise unreachable(place, f"HTTP {cause.status_code}") from None
        except AzureError as cause:
            raise unreachable(place, cause) from None
        except CUT_OFF:
            raise cut_off(place) from None


def _found(blob: Any) -> Found:
    md5 = blob.content_settings.content_md5
    check = Check("md5", bytes(md5).hex()) if md5 else None
    return Found(blob.name, int(blob.size), str(blob.etag).strip('"'), blob.last_modified, check)


def _code(cause: Exception) -> str:
    return str(getattr(cause, "error_code", ""))
