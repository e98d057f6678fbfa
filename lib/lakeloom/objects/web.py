"""One file of a web server (``https://host/path/file.csv``): there is no listing, so the address is no pattern.

Its version is its ETag, or when it was last changed and its length. Source: RFC 9110 (HEAD, Range, If-Match).
"""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import ClassVar
from urllib.parse import quote

from lakeloom.core.errors import SourceError
from lakeloom.core.release import RELEASE
from lakeloom.core.secrets import reveal
from lakeloom.objects.base import Check, Found, MovedError, StoreConfig, Text
from lakeloom.objects.faults import denied, unreachable

_MOVED = (404, 410, 412, 416)
_SAFE = "/?&=%:,;+@!$()*~-._"


class WebConfig(StoreConfig):
    """What ``stores:`` says of a web server.

    Attributes
    ----------
    headers : dict
        Sent with each request, such as ``Authorization: ${secret:scope/token}``.
    """

    headers: dict[str, Text] = {}


class Web:
    """One host."""

    Config: ClassVar[type[StoreConfig]] = WebConfig
    scheme: ClassVar[str] = "https"

    def __init__(self, bucket: str, config: WebConfig) -> None:
        self._host, self._config = bucket, config

    def find(self, prefix: str) -> Iterator[Found]:
        """Yield the one file; see `lakeloom.objects.base.Store`."""
        answer = self._asked(prefix, "HEAD")
        if answer.status in (404, 410):
            return
        self._refuse(answer, prefix)
        if "Content-Length" not in answer.headers:
            raise SourceError(
                "LL-SOURCE-004", f"{self._place(prefix)} does not tell its length", where=self._place(prefix),
                fix="fetch it by other means into a folder, and read that",
            )  # fmt: skip
        size = int(answer.headers["Content-Length"])
        yield Found(prefix, size, _version(answer.headers), _changed(answer.headers))

    def part(self, found: Found, start: int, end: int) -> bytes:
        """Return some bytes of the file; see `lakeloom.objects.base.Store`."""
        answer = self._asked(found.key, "GET", {"Range": f"bytes={start}-{end - 1}"} if end > start else {})
        if answer.status in _MOVED or (answer.status < 300 and _version(answer.headers, found.size) != found.version):
            raise MovedError(found.key)
        self._refuse(answer, found.key)
        # A server that knows no ranges sends all of it.
        return answer.content[start:end] if answer.status == 200 and end > start else answer.content

    def check(self, found: Found) -> Check | None:
        """Return None: a web server knows no checksum that all agree on."""

    def denies(self, found: Found) -> bool:
        """Return False: there is nothing to deny."""
        return False

    def _refuse(self, answer: _Answer, key: str) -> None:
        if answer.status in (401, 403):
            raise denied(self._place(key))
        if answer.status >= 300:
            raise unreachable(self._place(key), f"HTTP {answer.status}")

    def _place(self, key: str) -> str:
        return f"{self.scheme}://{self._host}/{key.partition('?')[0]}"

    def _asked(self, key: str, method: str, headers: Mapping[str, str] | None = None) -> _Answer:
        told = {name: reveal(value) for name, value in self._config.headers.items()}
        told |= {"Accept-Encoding": "identity", "User-Agent": f"lakeloom/{RELEASE}"} | dict(headers or {})
        url = f"{self.scheme}://{self._host}/{quote(key, safe=_SAFE)}"
        request = urllib.request.Request(url, headers=told, method=method)  # noqa: S310  http and https alone come here
        try:
            with urllib.request.urlopen(request, timeout=self._config.read_s, context=self._trusted) as answer:  # noqa: S310
                return _Answer(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as cause:
            with cause:
                return _Answer(cause.code, dict(cause.headers.items()), b"")
        except (OSError, http.client.HTTPException) as cause:
            raise unreachable(self._place(key), cause) from None

    @cached_property
    def _trusted(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self._config.ca) if self.scheme == "https" else None


class PlainWeb(Web):
    """One host, without encryption."""

    scheme = "http"


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


def _version(headers: Mapping[str, str], size: int | None = None) -> str:
    length = size if size is not None else headers.get("Content-Length", "")
    return headers.get("ETag") or f"{headers.get('Last-Modified', '')}-{length}"


def _changed(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["Last-Modified"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return datetime(1970, 1, 1, tzinfo=UTC)
