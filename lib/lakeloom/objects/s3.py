"""S3, and what speaks its protocol, by boto3.

Without keys in the config the SDK's own chain finds them: environment, profile, role, workload identity; it renews
what is short-lived. Source: Amazon S3's API reference (ListObjectsV2, GetObject, HeadObject, ETag).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from lakeloom.core.errors import SourceError
from lakeloom.core.secrets import reveal
from lakeloom.objects import s3_pages
from lakeloom.objects.base import Check, Found, MovedError, StoreConfig, TakenError, Text
from lakeloom.objects.faults import CUT_OFF, absent, cut_off, denied, expired, unreachable

_DENIED = frozenset(["AccessDenied", "403", "401", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"])
_EXPIRED = frozenset(["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"])
_MOVED = frozenset(["PreconditionFailed", "412", "NoSuchKey", "404", "NotFound", "InvalidRange", "416"])
# Two that create one key at the same moment: one of them is told so, by some servers with a conflict.
_TAKEN = frozenset(["PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"])
_MD5 = re.compile(r"[0-9a-f]{32}")
_PARTED = re.compile(r"([0-9a-f]{32})-(\d+)")


class S3Config(StoreConfig):
    """What ``stores:`` says of a bucket of S3.

    Attributes
    ----------
    region : str, optional
    access_key, secret_key, session_token : str or Secret, optional
        Best as ``${secret:scope/key}``; without them the SDK's own chain.
    profile : str, optional
        Of the machine's AWS configuration.
    path_style : bool
        The bucket in the path rather than in the host's name; by default where there is an endpoint.
    customer_key : str or Secret, optional
        32 bytes in base64, with which the objects are encrypted (SSE-C).
    encryption : {'AES256', 'aws:kms'}, optional
        Of what is written, by the store's keys (SSE).
    kms_key : str, optional
        Which of them, with ``aws:kms``.
    """

    region: str | None = None
    access_key: Text | None = None
    secret_key: Text | None = None
    session_token: Text | None = None
    profile: str | None = None
    path_style: bool | None = None
    customer_key: Text | None = None
    encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key: str | None = None


class S3:
    """One bucket."""

    Config: ClassVar[type[StoreConfig]] = S3Config
    extra: ClassVar[str] = "aws"

    def __init__(self, bucket: str, config: S3Config) -> None:
        self._bucket, self._config = bucket, config

    def find(self, prefix: str) -> Iterator[Found]:
        """Yield the objects under a prefix; see `lakeloom.objects.base.Store`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with self._coded():
            for page in map(_whole, pages):
                for entry in page.get("Contents", ()):
                    yield self._found(entry["Key"], entry, int(entry["Size"]))

    def level(self, prefix: str) -> Iterator[Found | str]:
        """Yield what lies directly under a prefix; see `lakeloom.objects.base.RootStore`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        with self._coded():
            for page in map(_whole, pages):
                for entry in page.get("Contents", ()):
                    yield self._found(entry["Key"], entry, int(entry["Size"]))
                for entry in page.get("CommonPrefixes", ()):
                    yield str(entry["Prefix"])

    def head(self, key: str) -> Found | None:
        """Return an object as it is now; see `lakeloom.objects.base.RootStore`."""
        told = self._there(key, self._client.head_object)
        with self._coded(key=key):
            return None if told is None else self._found(key, told, int(told["ContentLength"]))

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes; see `lakeloom.objects.base.RootStore`."""
        told = self._there(key, self._client.get_object)
        if told is None:
            return None
        with self._coded(key=key):
            content = bytes(told["Body"].read())
            if len(content) != int(told["ContentLength"]):
                raise ValueError("shorter than it was told")
            return content

    def _there(self, key: str, ask: Any) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        with self._coded(key=key):
            try:
                return dict(ask(Bucket=self._bucket, Key=key, **self._customer))
            except ClientError as cause:
                if str(cause.response.get("Error", {}).get("Code", "")) in ("NoSuchKey", "404", "NotFound"):
                    return None
                raise

    def _found(self, key: str, told: Any, size: int) -> Found:
        version = str(told["ETag"]).strip('"')
        return Found(key, size, version, told["LastModified"], self._of_etag(version))

    def part(self, found: Found, start: int, end: int) -> bytes:
        """Return some bytes of an object; see `lakeloom.objects.base.Store`."""
        asked = {"Range": f"bytes={start}-{end - 1}"} if end > start else {}
        with self._coded(found):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=found.key, IfMatch=f'"{found.version}"', **asked, **self._customer
            )
            return bytes(answer["Body"].read())

    def check(self, found: Found) -> Check | None:
        """Return the MD5 that the ETag is, or that of the parts of a multi-part upload."""
        parted = _PARTED.fullmatch(found.version)
        if parted is None or self._customer:
            return found.check
        try:
            with self._coded(found):
                first = self._head(found, PartNumber=1)
        except MovedError:  # some servers compare the part's own ETag; its bytes are asked for under the condition too
            return None
        if int(first.get("PartsCount", 0)) != int(parted[2]):  # not every server tells of parts
            return None
        return Check("md5_of_parts", parted[1], int(first["ContentLength"]))

    def denies(self, found: Found) -> bool:
        """Return whether the object is encrypted by a key of the store's: its ETag is no MD5 of what is read then."""
        with self._coded(found):
            return self._head(found).get("ServerSideEncryption") in ("aws:kms", "aws:kms:dsse")

    def put(self, key: str, content: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Put an object; see `lakeloom.objects.base.WritableStore`."""
        from botocore.exceptions import ClientError

        more = {"IfNoneMatch": "*"} if new else {"IfMatch": f'"{over}"'} if over is not None else {}
        with self._coded(key=key):
            try:
                told = self._client.put_object(Bucket=self._bucket, Key=key, Body=content, **more, **self._encrypted)
            except ClientError as cause:
                if more and str(cause.response.get("Error", {}).get("Code", "")) in _TAKEN:
                    raise TakenError(key) from None
                raise
            return str(told["ETag"]).strip('"')

    def upload(self, key: str, file: Path) -> str:
        """Put a file's content; see `lakeloom.objects.base.WritableStore`."""
        from boto3.exceptions import Boto3Error

        with self._coded(key=key):
            try:
                self._client.upload_file(str(file), self._bucket, key, ExtraArgs=self._encrypted)
            except Boto3Error as cause:  # it wraps the client's own
                raise (cause.__context__ or cause) from None
            told = self._client.head_object(Bucket=self._bucket, Key=key, **self._customer)
            return str(told["ETag"]).strip('"')

    def delete(self, key: str) -> None:
        """Take an object away; see `lakeloom.objects.base.WritableStore`."""
        with self._coded(key=key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _of_etag(self, version: str) -> Check | None:
        return Check("md5", version) if _MD5.fullmatch(version) and not self._customer else None

    def _head(self, found: Found, **more: Any) -> dict[str, Any]:
        return dict(self._client.head_object(Bucket=self._bucket, Key=found.key, IfMatch=f'"{found.version}"', **more))

    @property
    def _customer(self) -> dict[str, str]:
        key = self._config.customer_key
        return {} if key is None else {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": reveal(key)}

    @property
    def _encrypted(self) -> dict[str, str]:
        """Return how what is written is to be encrypted."""
        config = self._config
        named = {"ServerSideEncryption": config.encryption, "SSEKMSKeyId": config.kms_key}
        return self._customer | {name: value for name, value in named.items() if value is not None}

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        config = self._config
        path = config.path_style if config.path_style is not None else config.endpoint is not None
        named = {
            "aws_access_key_id": config.access_key, "aws_secret_access_key": config.secret_key,
            "aws_session_token": config.session_token,
        }  # fmt: skip
        keys = {name: reveal(value) for name, value in named.items() if value is not None}
        session = boto3.session.Session(profile_name=config.profile, region_name=config.region, **keys)
        client = session.client(
            "s3", endpoint_url=config.endpoint, verify=config.ca,
            config=Config(
                connect_timeout=config.connect_s, read_timeout=config.read_s, max_pool_connections=32,
                retries={"mode": "standard", "total_max_attempts": 3},
                s3={"addressing_style": "path" if path else "auto"},
            ),
        )  # fmt: skip
        client.meta.events.register(s3_pages.EVENT, s3_pages.parse)
        return client

    @contextmanager
    def _coded(self, found: Found | None = None, key: str = "") -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        named = found.key if found else key
        place = f"s3://{self._bucket}" + (f"/{named}" if named else "")
        try:
            yield
        except ClientError as cause:
            code = str(cause.response.get("Error", {}).get("Code", ""))
            if code in _DENIED:
                raise denied(place) from None
            if code in _EXPIRED:
                by_chain = self._config.access_key is None
                if by_chain:
                    self.__dict__.pop("_client", None)  # the next one asks the chain, which may know better by now
                raise expired(place, transient=by_chain) from None
            if code == "NoSuchBucket" or (found is None and code in ("404", "NotFound")):
                raise absent(f"s3://{self._bucket}") from None
            if found is not None and code in _MOVED:
                raise MovedError(found.key) from None
            raise unreachable(place, code or "ClientError") from None
        except (NoCredentialsError, PartialCredentialsError):
            raise denied(place) from None
        except SourceError:
            raise
        except BotoCoreError as cause:
            raise unreachable(place, cause) from None
        except CUT_OFF:
            raise cut_off(place) from None


def _whole(page: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a page of a listing; one that lacks what each has is not the listing of an empty bucket."""
    if "IsTruncated" not in page:
        raise ValueError("no page of a listing")
    return page
