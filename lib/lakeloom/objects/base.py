"""What a store offers: a listing by prefix, parts of an object at the version that was listed, its checksum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from lakeloom.core.errors import SourceError
from lakeloom.core.secrets import Secret

Text = str | Secret
Sum = Literal["md5", "crc32c", "md5_of_parts"]


@dataclass(frozen=True)
class Check:
    """What a store knows of an object's bytes.

    Attributes
    ----------
    kind : {'md5', 'crc32c', 'md5_of_parts'}
    value : str
        Hexadecimal.
    part_bytes : int
        Of ``md5_of_parts``, the MD5 of the parts' MD5s: how long each part is.
    """

    kind: Sum
    value: str
    part_bytes: int = 0


@dataclass(frozen=True)
class Found:
    """An object as a listing tells it.

    Attributes
    ----------
    key : str
        Its name in the bucket, whatever letters that has.
    size : int
        In bytes.
    version : str
        ETag or generation: another one for every content that was ever put under the key.
    changed : datetime
        When it was put there, aware.
    check : Check or None
        Of its bytes, where the listing tells it: it spares a request an object.
    """

    key: str
    size: int
    version: str
    changed: datetime
    check: Check | None = None


class MovedError(Exception):
    """The object is no longer what was listed: another version lies there, or none."""


class TakenError(Exception):
    """What was to be made under a key is there already."""


class StoreConfig(BaseModel):
    """What is the same of every kind of store.

    Attributes
    ----------
    endpoint : str, optional
        Another address than the cloud's own, with ``http://`` or ``https://``.
    ca : str, optional
        A file of certificates to trust, instead of the system's.
    bandwidth : int, optional
        At most so many bytes a second.
    connect_s, read_s : float
        How long to wait for a connection, and for the next bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    endpoint: str | None = None
    ca: str | None = None
    bandwidth: int | None = None
    connect_s: float = 10.0
    read_s: float = 60.0


class Store(Protocol):
    """One bucket (or container, host, folder) of a kind of store; safe to be called by several threads."""

    Config: ClassVar[type[StoreConfig]]

    def __init__(self, bucket: str, config: Any) -> None: ...

    def find(self, prefix: str) -> Iterator[Found]:
        """Yield the objects whose keys begin with `prefix`, a page at a time.

        Raises
        ------
        SourceError
            LL-SOURCE-001 where the store can't be reached (transient) or the bucket is not there, LL-SOURCE-002
            where it refuses.
        """

    def part(self, found: Found, start: int, end: int) -> bytes:
        """Return the bytes ``[start, end)`` of an object.

        Raises
        ------
        MovedError
            Where it is no longer the version that was listed.
        SourceError
            As `find`.
        """

    def check(self, found: Found) -> Check | None:
        """Return what the store knows of the object's bytes, None where it knows nothing that can be compared."""

    def denies(self, found: Found) -> bool:
        """Return whether a checksum that does not agree is none of the bytes, as the store says when it is asked."""


class FolderStore(Store, Protocol):
    """A store whose folders are listed one by one, and may refuse one by one."""

    def walk(self, prefix: str, enters: Callable[[str], bool]) -> Iterator[Found | SourceError]:
        """Yield as `find`, of the folders below that `enters` takes; one that refuses as its error.

        Raises
        ------
        SourceError
            As `find`; LL-SOURCE-001 where the folder is not there that the prefix names, too.
        """


class WritableStore(Store, Protocol):
    """A store that takes objects, too; whole or not at all, so that no reader sees half of one."""

    def put(self, key: str, content: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Put an object, over what lies there; return its version.

        Parameters
        ----------
        new : bool
            Only where nothing lies there: of several that try at the same time one succeeds.
        over : str, optional
            Only where this version lies there.

        Raises
        ------
        TakenError
            With `new` or `over`, where something else lies there.
        SourceError
            As `find`.
        """

    def upload(self, key: str, file: Path) -> str:
        """Put a file's content, a large one in parts, with a checksum that the store compares; return its version.

        Raises
        ------
        SourceError
            As `find`.
        """

    def delete(self, key: str) -> None:
        """Take an object away; one that is not there is no fault.

        Raises
        ------
        SourceError
            As `find`.
        """


class RootStore(WritableStore, Protocol):
    """A store that a storage root may lie in: one object by its key, and what lies directly under a prefix."""

    def head(self, key: str) -> Found | None:
        """Return an object as a listing would tell it, None where it is not there; raises as `find`."""

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes as they are now, None where it is not there; raises as `find`."""

    def level(self, prefix: str) -> Iterator[Found | str]:
        """Yield the objects directly under a prefix that ends with ``/``, and as text the prefixes below it.

        Raises
        ------
        SourceError
            As `find`.
        """
