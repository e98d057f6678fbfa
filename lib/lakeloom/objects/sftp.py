"""Files of an SFTP server (``sftp://user@host:port/path/*.csv``): a key is an absolute path without its first slash.

``~/in/a.csv`` is a path below the folder that the user is let into. The protocol has no checksum, and of a file it
tells size and time of change in whole seconds: these two are a file's version. Links to files are followed, links to
folders are not.

Source: draft-ietf-secsh-filexfer-02 (SFTP version 3), and OpenSSH's PROTOCOL (posix-rename, fsync).
"""

from __future__ import annotations

import asyncio
import stat
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from lakeloom.core.errors import LakeloomError, SourceError
from lakeloom.objects.base import Check, Found, MovedError, StoreConfig, TakenError
from lakeloom.objects.faults import absent, denied, incapable, unreachable, unwritable
from lakeloom.objects.sftp_lines import Host, Lines, SftpConfig, begun, lost

if TYPE_CHECKING:
    from asyncssh import SFTPAttrs, SFTPClient, SFTPClientFile, SFTPName

T = TypeVar("T")
Going = Callable[[], None]
# So many names of a folder are held at a time.
_PAGE = 1000
_CHUNK, _BLOCK = 4 << 20, 128 << 10


class Sftp:
    """One user of one host."""

    Config: ClassVar[type[StoreConfig]] = SftpConfig
    extra: ClassVar[str] = "sftp"

    def __init__(self, bucket: str, config: SftpConfig) -> None:
        self._root = f"sftp://{bucket}"
        self._lines = Lines(self._root, Host.parse(bucket), config)

    def find(self, prefix: str) -> Iterator[Found]:
        """Yield the files under a prefix, none where its folder is not there; see `lakeloom.objects.base.Store`.

        A folder below it that refuses is told once all others are listed.
        """
        refused: SourceError | None = None
        for each in self._walked(prefix, lambda _: True, strict=False):
            if isinstance(each, Found):
                yield each
            else:
                refused = refused or each
        if refused is not None:
            raise refused

    def walk(self, prefix: str, enters: Callable[[str], bool]) -> Iterator[Found | SourceError]:
        """Yield the files under a prefix, of the folders that are entered; see `lakeloom.objects.base.FolderStore`."""
        return self._walked(prefix, enters, strict=True)

    def part(self, found: Found, start: int, end: int) -> bytes:
        """Return some bytes of a file; see `lakeloom.objects.base.Store`.

        What is written while it is read is told by its version behind the last byte.
        """
        import asyncssh

        async def read(sftp: SFTPClient, going: Going) -> bytes:
            content, came = bytearray(end - start), 0
            async with _closing(await sftp.open(_path(found.key), "rb")) as file:
                if end > start:
                    async for at, block in await file.read_parallel(end - start, start):
                        going()
                        content[at - start : at - start + len(block)] = block
                        came += len(block)
                about = await file.stat()
            if _version(about) != found.version:
                raise MovedError(found.key)
            return bytes(content[:came])

        async def told(sftp: SFTPClient, going: Going) -> bytes:
            try:
                return await read(sftp, going)
            except asyncssh.SFTPFailure:  # of what can't be read as a file, as a folder that lies there now
                about = await _target(sftp, _path(found.key))
                if about is None or _version(about) != found.version:
                    raise MovedError(found.key) from None
                raise

        with self._coded(found.key, gone=MovedError(found.key)):
            return self._lines.ask(told)

    def check(self, found: Found) -> Check | None:
        """Return None: the protocol knows no checksum."""

    def denies(self, found: Found) -> bool:
        """Return False: there is nothing to deny."""
        return False

    def put(self, key: str, content: bytes, *, new: bool = False, over: str | None = None) -> str:
        """Put a file; see `lakeloom.objects.base.WritableStore`. A server can't write over one version only."""
        if over is not None:
            raise NotImplementedError("SFTP compares no versions")

        async def write(file: SFTPClientFile, going: Going) -> None:
            for at in range(0, len(content), _CHUNK):
                await _written(file, content[at : at + _CHUNK], at, going)

        return self._put(key, write, new=new)

    def upload(self, key: str, file: Path) -> str:
        """Put a file's content; see `lakeloom.objects.base.WritableStore`. Its length alone can be compared."""

        async def write(there: SFTPClientFile, going: Going) -> None:
            with file.open("rb") as stream:
                at = 0
                while chunk := await asyncio.to_thread(stream.read, _CHUNK):
                    await _written(there, chunk, at, going)
                    at += len(chunk)

        return self._put(key, write)

    def delete(self, key: str) -> None:
        """Take a file away; see `lakeloom.objects.base.WritableStore`."""
        import asyncssh

        async def remove(sftp: SFTPClient, _: Going) -> None:
            with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                await sftp.remove(_path(key))

        with self._coded(key, writes=True):
            self._lines.ask(remove)

    def _put(self, key: str, write: Callable[[SFTPClientFile, Going], Awaitable[None]], *, new: bool = False) -> str:
        """Write a draft beside the place, whose name no pattern takes; only what is whole gets the place's name."""
        import asyncssh

        path = _path(key)
        folder = path.rpartition(b"/")[0]
        draft = (folder + b"/" if b"/" in path else b"") + f".{uuid.uuid4().hex}".encode()

        async def put(sftp: SFTPClient, going: Going) -> str:
            try:
                async with _closing(await _made(sftp, draft, folder)) as file:
                    await write(file, going)
                    with suppress(asyncssh.SFTPOpUnsupported):
                        await file.fsync()
                    version = _version(await file.stat())
                if new:
                    await _renamed(sftp, draft, path, key)
                else:
                    await sftp.posix_rename(draft, path)
            except Exception:
                with suppress(asyncssh.Error, OSError):
                    await sftp.remove(draft)
                raise
            return version

        with self._coded(key, writes=True):
            return self._lines.ask(put)

    def _walked(self, prefix: str, enters: Callable[[str], bool], *, strict: bool) -> Iterator[Found | SourceError]:
        first = prefix[: prefix.rfind("/") + 1]
        folders = [first]
        while folders:
            folder = folders.pop()
            below: list[str] = []
            try:
                for page in self._pages(folder):
                    for key, about in page:
                        if about is None:
                            if f"{key}/".startswith(prefix) and enters(key):
                                below.append(f"{key}/")
                        elif key.startswith(prefix):
                            yield _found(key, about)
            except _GoneError:
                if folder == first and strict:
                    raise absent(f"{self._root}/{folder}") from None
            except SourceError as error:
                if folder == first or error.transient or error.where == self._root:
                    raise
                yield error
            folders += sorted(below, reverse=True)

    def _pages(self, folder: str) -> Iterator[list[tuple[str, SFTPAttrs | None]]]:
        """Yield what lies in a folder, so many keys at a time; None stands for a folder."""
        slot, names = self._lines.take(), _Names(folder)
        try:
            more = True
            while more:
                with self._coded(folder, gone=_GoneError()):
                    page, more = self._lines.over(slot, names.page)
                yield page
        finally:
            names.close()

    @contextmanager
    def _coded(self, key: str, *, gone: Exception | None = None, writes: bool = False) -> Iterator[None]:
        import asyncssh

        place = f"{self._root}/{key}"
        try:
            yield
        except (LakeloomError, MovedError, TakenError):
            raise
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as cause:
            raise gone or unwritable(place, cause.reason or "no such folder") from None
        except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect):
            raise denied(place) from None
        except asyncssh.SFTPOpUnsupported:
            raise incapable(place) from None
        except (asyncssh.Error, OSError) as cause:
            answered = isinstance(cause, asyncssh.SFTPError) and not isinstance(cause, lost())
            raise (
                unwritable(place, type(cause).__name__) if writes and answered else unreachable(place, cause)
            ) from None


class _GoneError(Exception):
    """A folder is not there."""


class _Names:
    """What lies in one folder, asked for page by page over one connection."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._listing: AsyncIterator[SFTPName] | None = None

    async def page(self, sftp: SFTPClient, going: Going) -> tuple[list[tuple[str, Any]], bool]:
        """Return the next page, and whether there may be another one."""
        if self._listing is None:
            self._listing = sftp.scandir(_path(self._folder) or b".")
        told, links = list[tuple[str, Any]](), list[tuple[str, bytes]]()
        more = True
        while len(told) + len(links) < _PAGE:
            entry = await anext(self._listing, None)
            going()
            if entry is None:
                more = False
                break
            name = bytes(entry.filename)
            if name in (b".", b"..") or b"/" in name:
                continue
            key, kind = self._folder + name.decode("utf-8", "surrogateescape"), _kind(entry.attrs)
            if kind in (stat.S_IFREG, stat.S_IFDIR):
                told.append((key, entry.attrs if kind == stat.S_IFREG else None))
            elif kind in (stat.S_IFLNK, 0):
                links.append((key, _path(key)))
        for (key, _), about in zip(
            links, await asyncio.gather(*(_target(sftp, path) for _, path in links)), strict=True
        ):
            if about is not None and _kind(about) in (stat.S_IFREG, 0):
                told.append((key, about))
        return told, more

    def close(self) -> None:
        """End the listing, also one that was not read to its end."""
        if self._listing is not None:
            begun(_ended(self._listing))


async def _ended(listing: Any) -> None:
    import asyncssh

    # A line that is silent, too, must not keep who has had enough.
    with suppress(asyncssh.Error, OSError):
        async with asyncio.timeout(1):
            await listing.aclose()


async def _target(sftp: SFTPClient, path: bytes) -> SFTPAttrs | None:
    """Return what a link leads to; None for one to nowhere, in a circle, or into what may not be seen."""
    import asyncssh

    try:
        return await sftp.stat(path)
    except asyncssh.SFTPError as cause:
        if isinstance(cause, lost()):
            raise
        return None


@asynccontextmanager
async def _closing(file: SFTPClientFile) -> AsyncIterator[SFTPClientFile]:
    import asyncssh

    try:
        yield file
    except BaseException:
        with suppress(asyncssh.Error, OSError):
            await file.close()
        raise
    else:
        await file.close()


async def _made(sftp: SFTPClient, draft: bytes, folder: bytes) -> SFTPClientFile:
    """Return a new file, open, in a folder that is made where it is missing."""
    import asyncssh

    try:
        return await sftp.open(draft, "xb")
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        await sftp.makedirs(folder, exist_ok=True)
    return await sftp.open(draft, "xb")


async def _written(file: SFTPClientFile, content: bytes, at: int, going: Going) -> None:
    """Write in blocks at the same time, each of which is a sign of life."""

    async def block(start: int) -> None:
        await file.write(content[start : start + _BLOCK], at + start)
        going()

    await asyncio.gather(*(block(start) for start in range(0, len(content), _BLOCK)))


async def _renamed(sftp: SFTPClient, draft: bytes, path: bytes, key: str) -> None:
    """Give the draft its name; by the protocol that fails where the name is taken."""
    import asyncssh

    try:
        await sftp.rename(draft, path)
    except asyncssh.SFTPError:
        if await _target(sftp, path) is None:
            raise
        raise TakenError(key) from None


def _path(key: str) -> bytes:
    whole = key.encode("utf-8", "surrogateescape")
    return whole[2:] if whole.startswith(b"~/") else b"/" + whole


def _kind(about: SFTPAttrs) -> int:
    return stat.S_IFMT(about.permissions or 0)


def _version(about: SFTPAttrs) -> str:
    return f"{about.size}-{about.mtime}"


def _found(key: str, about: SFTPAttrs) -> Found:
    changed = datetime.fromtimestamp(about.mtime or 0, UTC)
    return Found(key, about.size or 0, _version(about), changed)
