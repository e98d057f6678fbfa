"""Addresses of objects: ``s3://bucket/folder/*.csv`` → scheme, bucket, the prefix to list by, what matches.

Source: the schemes are those of Hadoop's connectors; of ``abfs[s]://container@account.dfs…/path`` the bucket is
``container@account``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from lakeloom.core.errors import ConfigError
from lakeloom.core.kinds import nearest
from lakeloom.objects import STORES

_WRITTEN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(?:/(.*))?", re.DOTALL)
_ACROSS = re.compile(r"\[[^\]]*/")
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Address:
    """A place in an object store, or a pattern of places.

    Attributes
    ----------
    scheme, bucket, pattern : str
        As written; the pattern is a key with ``*``, ``?`` and ``[…]``, which stop at ``/``, and ``**``, which does not.
    """

    scheme: str
    bucket: str
    pattern: str

    @classmethod
    def parse(cls, text: str, where: str = "") -> Address:
        """Return the address.

        Raises
        ------
        ConfigError
            LL-CONF-004 for what is none, LL-CONF-020 for an unknown scheme, LL-CONF-024 where it holds a password.
        """
        found = _WRITTEN.fullmatch(text)
        if found is None or not (found[2] or found[1] == "file") or not found[3]:
            raise ConfigError(
                "LL-CONF-004", f"'{text}' is no address of objects", where=where, fix="write s3://bucket/folder/*.csv"
            )
        scheme = found[1].lower()
        if scheme not in STORES:
            near = nearest(scheme, STORES)
            raise ConfigError(
                "LL-CONF-020", f"'{scheme}://' is unknown; known are {', '.join(STORES)}", where=where,
                fix=f"use '{near}://'" if near else "use one of them",
            )  # fmt: skip
        user, at, host = found[2].rpartition("@")
        if ":" in user:
            raise ConfigError(
                "LL-CONF-024", f"the address {scheme}://…{at}{host} holds a password", where=where,
                fix="take it out: it would stand in every row's _file; give it as an option in 'stores:'",
            )  # fmt: skip
        return cls(scheme, found[2], found[3])

    @property
    def root(self) -> str:
        """The bucket's own address, without a slash at the end."""
        return f"{self.scheme}://{self.bucket}"

    @property
    def prefix(self) -> str:
        """What every key that matches begins with."""
        magic = _MAGIC.search(self.pattern)
        return self.pattern[: magic.start()] if magic else self.pattern

    @property
    def plain(self) -> bool:
        """Whether it names one object and is no pattern."""
        return _MAGIC.search(self.pattern) is None

    def matches(self, key: str) -> bool:
        """Return whether the pattern takes a key; names that begin with ``_`` or ``.`` are unfinished by custom."""
        return self._rule.fullmatch(key) is not None and not key.rpartition("/")[2].startswith(("_", "."))

    def enters(self, folder: str) -> bool:
        """Return whether keys below a folder may match, so that it has to be looked into.

        Examples
        --------
        >>> address = Address("sftp", "host", "in/2026-*/*.csv")
        >>> [address.enters(folder) for folder in ("in", "in/2026-01", "in/old", "in/2026-01/deep")]
        [True, True, False, False]
        """
        if _ACROSS.search(self.pattern):  # where its parts end can't be told by their slashes
            return True
        parts = self.pattern.split("/")
        for depth, name in enumerate(folder.split("/")):
            part = parts[min(depth, len(parts) - 1)]
            if "**" in part:
                return True
            if depth >= len(parts) - 1 or re.fullmatch(_translated(part), name, re.DOTALL) is None:
                return False
        return True

    def of(self, key: str) -> str:
        """Return the address of one object of the bucket."""
        return f"{self.root}/{key}"

    @cached_property
    def _rule(self) -> re.Pattern[str]:
        return re.compile(_translated(self.pattern), re.DOTALL)


def is_address(path: str) -> bool:
    """Return whether a path of a config is an address of objects rather than a path of files."""
    return _WRITTEN.fullmatch(path) is not None


def _translated(pattern: str) -> str:
    pieces, at = [], 0
    while at < len(pattern):
        sign = pattern[at]
        close = pattern.find("]", at + 2)
        if pattern.startswith("**/", at):
            pieces.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            pieces.append(".*")
            at += 2
        elif sign == "[" and close > 0:
            inner = pattern[at + 1 : close].replace("\\", "\\\\")
            pieces.append(f"(?!/)[{'^' + inner[1:] if inner[0] == '!' else inner}]")
            at = close + 1
        else:
            pieces.append({"*": "[^/]*", "?": "[^/]"}.get(sign) or re.escape(sign))
            at += 1
    return "".join(pieces)
