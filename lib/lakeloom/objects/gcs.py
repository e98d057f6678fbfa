"""Google Cloud Storage, by google-cloud-storage.

Without a file of credentials the SDK's own chain finds them, workload identity among them.
Source: Cloud Storage's JSON API (objects: generation, md5Hash, crc32c).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from lakeloom.objects.base import Check, Found, MovedError, StoreConfig, Sum, TakenError
from lakeloom.objects.faults import CUT_OFF, absent, cut_off, denied, unreachable

_LONGEST_S = 10.0
_BYTES = "application/octet-stream"


class GcsConfig(StoreConfig):
    """What ``stores:`` says of a bucket of Google Cloud Storage.

    Attributes
    ----------
    project : str, optional
    credentials_file : str, optional
        A service account's key file.
    anonymous : bool
        Without credentials, as for public buckets and emulators.
    kms_key : str, optional
        The key of Google's key management with which what is written is encrypted.
    """

    project: str | None = None
    credentials_file: str | None = None
    anonymous: bool = False
    kms_key: str | None = None


class Gcs:
    """One bucket."""

    Config: ClassVar[type[StoreConfig]] = GcsConfig
    extra: ClassVar[str] = "gcp"

    def __init__(self, bucket: str, config: GcsConfig) -> None:
        self._name, self._config = bucket, config

    def find(self, prefix: str) -> Iterator[Found]:
        """Yield the objects under a prefix; see `lakeloom.objects.base.Store`."""
        with self._coded():
            for blob in self._bucket.list_blobs(prefix=prefix, **self._words):
                yield _found(blob)

    def level(self, prefix: str) -> Iterator[Found | str]:
        """Yield what lies directly under a prefix; see `lakeloom.objects.base.RootStore`."""
        with self._coded():
            listed = self._bucket.list_blobs(prefix=prefix, delimiter="/", **self._words)
            for blob in listed:
                yield _found(blob)
            yield from sorted(listed.prefixes)

    def head(self, key: str) -> Found | None:
        """Return an object as it is now; see `lakeloom.objects.base.RootStore`."""
        with self._coded(key=key):
            blob = self._bucket.get_blob(key, **self._words)
            return None if blob is None else _found(blob)

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes; see `lakeloom.objects.base.RootStore`."""
        from google.api_core.exceptions import NotFound

        with self._coded(key=key):
            try:
                content = bytes(self._bucket.blob(key).download_as_bytes(**self._words))
            except NotFound:
                return None
        # An answer that ends amid its headers has no checksum to be compared with, and looks like an empty object.
        if not content and (there := self.head(key)) is not None and there.size:
            raise cut_off(f"gs://{self._name}/{key}")
        return content

    def part(self, found: Found, start: int, end: int) -> bytes:
        """Return some bytes of an object; see `lakeloom.objects.base.Store`."""
        blob = self._bucket.blob(found.key, generation=int(found.version))
        with self._coded(found):
            if end <= start:
                return bytes(blob.download_as_bytes(**self._words, checksum=None))
            return bytes(blob.download_as_bytes(start=start, end=end - 1, **self._words, checksum=None))

    def check(self, found: Found) -> Check | None:
        """Return the MD5, or the CRC32C of what was composed of parts: the listing has told it."""
        return found.check

    def denies(self, found: Found) -> bool:
        """Return False: a checksum is always of the bytes."""
        return False

    def put(self, key: str, content: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Put an object; see `lakeloom.objects.base.WritableStore`."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        blob = self._blob(key)
        more = {"if_generation_match": 0} if new else {"if_generation_match": int(over)} if over is not None else {}
        with self._coded(key=key):
            try:
                blob.upload_from_string(content, _BYTES, checksum="crc32c", **more, **self._words)
            except (PreconditionFailed, NotFound) as cause:
                if not more or (new and isinstance(cause, NotFound)):  # then it is the bucket that is not there
                    raise
                raise TakenError(key) from None
        return str(blob.generation)

    def upload(self, key: str, file: Path) -> str:
        """Put a file's content; see `lakeloom.objects.base.WritableStore`."""
        blob = self._blob(key)
        with self._coded(key=key):
            blob.upload_from_filename(str(file), _BYTES, checksum="crc32c", **self._words)
        return str(blob.generation)

    def delete(self, key: str) -> None:
        """Take an object away; see `lakeloom.objects.base.WritableStore`."""
        from google.api_core.exceptions import NotFound

        with self._coded(key=key), suppress(NotFound):
            self._bucket.delete_blob(key, **self._words)

    def _blob(self, key: str) -> Any:
        return self._bucket.blob(key, kms_key_name=self._config.kms_key)

    @property
    def _words(self) -> dict[str, Any]:
        """Return what every call is given: by itself the SDK would try for two minutes."""
        from google.cloud.storage.retry import DEFAULT_RETRY

        return {
            "timeout": (self._config.connect_s, self._config.read_s),
            "retry": DEFAULT_RETRY.with_timeout(_LONGEST_S).with_delay(initial=0.25, multiplier=2),
        }

    @cached_property
    def _bucket(self) -> Any:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        config = self._config
        options = {"api_endpoint": config.endpoint} if config.endpoint else None
        if config.credentials_file:
            client = storage.Client.from_service_account_json(config.credentials_file, client_options=options)
        elif config.anonymous:
            named = config.project or "anonymous"
            client = storage.Client(named, credentials=AnonymousCredentials(), client_options=options)
        else:
            client = storage.Client(config.project, client_options=options)
        if config.ca:
            client._http.verify = config.ca
        return client.bucket(self._name)

    @contextmanager
    def _coded(self, found: Found | None = None, key: str = "") -> Iterator[None]:
        from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound, PreconditionFailed, Unauthorized
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.storage.exceptions import DataCorruption
        from requests.exceptions import RequestException

        named = found.key if found else key
        place = f"gs://{self._name}" + (f"/{named}" if named else "")
        try:
            yield
        except (Forbidden, Unauthorized, GoogleAuthError):
            raise denied(place) from None
        except (NotFound, PreconditionFailed):
            if found is None:
                raise absent(f"gs://{self._name}") from None
            raise MovedError(found.key) from None
        except (GoogleAPIError, RequestException) as cause:
            raise unreachable(place, cause) from None
        except (DataCorruption, *CUT_OFF):
            raise cut_off(place) from None


def _found(blob: Any) -> Found:
    return Found(blob.name, int(blob.size), str(blob.generation), blob.updated, _check(blob))


def _check(blob: Any) -> Check | None:
    told: list[tuple[Sum, str | None]] = [("md5", blob.md5_hash), ("crc32c", blob.crc32c)]
    return next((Check(kind, base64.b64decode(text).hex()) for kind, text in told if text), None)
