"""Connections to an SFTP server: few, shared by all threads, opened when they are needed, their host's key verified.

The client is asyncssh, on one event loop a process; many requests of many threads go over one connection at a time. A
host whose key is unknown, or another than the known one, is refused: there is no option that trusts it. Of the user's
own settings of OpenSSH only known hosts, keys and agent count.

Source: the manual page sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from pydantic import Field, model_validator

from lakeloom.core.errors import ConfigError, SourceError
from lakeloom.core.secrets import reveal
from lakeloom.objects.base import StoreConfig, Text
from lakeloom.objects.faults import denied, unverified

if TYPE_CHECKING:
    from asyncssh import SFTPClient, SSHClientConnection

T = TypeVar("T")
# A connection over which nothing comes is asked so often, in seconds, and given up after so many without an answer.
_ALIVE_S, _SILENT = 15, 3
_KNOWN = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
_PLACE = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^\[\]:]+))(?::(?P<port>\d{1,5}))?")


class SftpConfig(StoreConfig):
    """What ``stores:`` says of an SFTP server.

    Attributes
    ----------
    password : str or Secret, optional
        The user's. Without it and without `key` the user's agent and own keys are tried.
    key : str or Secret, optional
        A file with a private key.
    passphrase : str or Secret, optional
        Of that key.
    known_hosts : str, optional
        A file with the host's public key, as OpenSSH writes it; the user's own and the machine's by default.
    connections : int
        So many at most at a time, from each process.
    connect_s, read_s : float
        How long to wait until a connection stands and the user is let in, and for the next bytes.
    """

    password: Text | None = None
    key: Text | None = None
    passphrase: Text | None = None
    known_hosts: str | None = None
    connections: int = Field(default=2, ge=1, le=16)

    @model_validator(mode="after")
    def _fits(self) -> SftpConfig:
        if self.endpoint is not None or self.ca is not None:
            raise ValueError("sftp:// has neither endpoint nor ca: the address names the host, known_hosts its key")
        return self


@dataclass(frozen=True)
class Host:
    """Whom to ask, and as whom: None is the user of this machine."""

    name: str
    port: int
    user: str | None

    @classmethod
    def parse(cls, bucket: str) -> Host:
        """Return what ``user@host:port`` of an address says; raises LL-CONF-004 for what is no host."""
        user, _, rest = bucket.rpartition("@")
        found = _PLACE.fullmatch(rest)
        port = int(found["port"] or 22) if found else 0
        if found is None or not 0 < port < 65536:
            raise ConfigError(
                "LL-CONF-004", f"'{bucket}' names no host", fix="write sftp://user@host/path or sftp://user@host:2222/path"
            )  # fmt: skip
        return cls(found["v6"] or found["host"], port, unquote(user) or None)


class _Line:
    """A connection, with the client that asks over it, and when something came last."""

    def __init__(self, connection: SSHClientConnection, sftp: SFTPClient) -> None:
        self.connection, self.sftp = connection, sftp
        self._clock = asyncio.get_running_loop().time
        self.heard()

    def heard(self) -> None:
        """Something has come."""
        self._last = self._clock()

    def silent_s(self) -> float:
        """Return for how long nothing has come."""
        return self._clock() - self._last


@dataclass
class _Slot:
    """A place for one connection: it is opened by the first that comes, the others wait for it."""

    line: _Line | None = None
    busy: int = 0
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    def drop(self) -> None:
        line, self.line = self.line, None
        if line is not None:
            line.connection.abort()


class _Patience:
    """Ends a line that is silent for so long while it is waited for: then all that waits for it fails.

    What comes for one of many that share it is a sign of life for all, since a slow line serves them by turns. Nothing
    is cancelled: what tidies up behind a cancelled request would wait for an answer, too.
    """

    def __init__(self, line: _Line, limit_s: float) -> None:
        self._line, self._limit_s = line, limit_s
        line.heard()
        self._timer = asyncio.get_running_loop().call_later(limit_s, self._look)

    def end(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        left = self._limit_s - self._line.silent_s()
        if left <= 0:
            self._line.connection.abort()
        else:
            self._timer = asyncio.get_running_loop().call_later(left, self._look)


class Lines:
    """The connections of one store.

    Parameters
    ----------
    root : str
        The server's address, as messages name it.
    """

    def __init__(self, root: str, host: Host, config: SftpConfig) -> None:
        self._root, self._host, self._config = root, host, config
        self._slots = [_Slot() for _ in range(config.connections)]
        weakref.finalize(self, _closed, self._slots)

    def ask(self, work: Callable[[SFTPClient, Callable[[], None]], Awaitable[T]]) -> T:
        """Do the work over a connection, and wait for it.

        Parameters
        ----------
        work : callable
            Takes the client, and what is to be called whenever something has come, which `read_s` is counted from.

        Raises
        ------
        SourceError
            LL-SOURCE-002 where the server or the key refuses, LL-SOURCE-012 where the host is not known.
        asyncssh.Error, OSError
            As the work does, also where nothing came.
        """
        return awaited(self._do(self.take(), work))

    def take(self) -> _Slot:
        """Return the place where the fewest wait; rather one whose connection stands already."""
        return min(self._slots, key=lambda slot: (slot.busy, slot.line is None))

    def over(self, slot: _Slot, work: Callable[[SFTPClient, Callable[[], None]], Awaitable[T]]) -> T:
        """Do the work as `ask`, at a certain place."""
        return awaited(self._do(slot, work))

    async def _do(self, slot: _Slot, work: Callable[[SFTPClient, Callable[[], None]], Awaitable[T]]) -> T:
        import asyncssh

        slot.busy += 1
        try:
            async with slot.opening:
                if slot.line is None or slot.line.connection.is_closed():
                    slot.line = await self._opened()
                line = slot.line
            patience = _Patience(line, self._config.read_s)
            try:
                return await work(line.sftp, line.heard)
            except (OSError, asyncssh.DisconnectError, *lost()):
                if slot.line is line:
                    slot.drop()
                raise
            finally:
                patience.end()
        finally:
            slot.busy -= 1

    async def _opened(self) -> _Line:
        import asyncssh

        logger = logging.getLogger("asyncssh")
        if logger.level == logging.NOTSET:  # it tells each file and host at INFO
            logger.setLevel(logging.WARNING)
        config, host = self._config, self._host
        own = config.password is None and config.key is None
        login: dict[str, Any] = {} if own else {"client_keys": self._keys(), "agent_path": None}
        if host.user is not None:
            login["username"] = host.user
        if config.password is not None:
            login["password"] = reveal(config.password)
        login["known_hosts"] = self._known()
        try:
            try:
                connection = await self._connected(login, ())
            except (asyncssh.ConnectionLost, ConnectionError):
                # As where the host has no key of the kinds that are known of it: now it shows what it has.
                connection = await self._connected(login, "default")
        except asyncssh.HostKeyNotVerifiable:
            raise unverified(self._root) from None
        except asyncssh.KeyExchangeFailed:
            raise SourceError(
                "LL-SOURCE-004", f"{self._root} offers no encryption that is still safe", where=self._root,
                fix="let its owner renew it, or fetch by other means into a folder",
            ) from None  # fmt: skip
        except asyncssh.PermissionDenied:
            raise denied(self._root) from None
        except ValueError as cause:  # before anything is sent
            raise SourceError(
                "LL-SOURCE-004", f"{self._root} can't be asked ({type(cause).__name__})", where=self._root,
                fix="mend 'stores:'; where the user of this machine has no name, set USER to one",
            ) from None  # fmt: skip
        try:
            async with asyncio.timeout(config.connect_s):
                return _Line(connection, await connection.start_sftp_client(path_encoding=None))
        except BaseException:
            connection.abort()
            raise

    async def _connected(self, login: Mapping[str, Any], kinds: tuple[()] | str) -> SSHClientConnection:
        import asyncssh

        limit_s = self._config.connect_s
        return await asyncssh.connect(
            self._host.name, self._host.port, config=None, x509_trusted_certs=None, gss_kex=False,
            compression_algs=("none",), server_host_key_algs=kinds, connect_timeout=limit_s, login_timeout=limit_s,
            keepalive_interval=_ALIVE_S, keepalive_count_max=_SILENT, **login,
        )  # fmt: skip

    def _known(self) -> Any:
        """Return the keys of hosts that are known; never None, which would trust any."""
        import asyncssh

        named = self._config.known_hosts
        paths = [Path(each).expanduser() for each in ([named] if named is not None else _KNOWN)]
        if named is None:
            paths = [path for path in paths if os.access(path, os.R_OK)]
        try:
            return asyncssh.import_known_hosts("\n".join(path.read_text(encoding="utf-8") for path in paths))
        except (OSError, ValueError):
            raise SourceError(
                "LL-SOURCE-012", f"the known hosts of {self._root} can't be read", where=self._root,
                fix="mend the file that 'known_hosts' names; ssh-keyscan writes one, to be compared with its owner's",
            ) from None  # fmt: skip

    def _keys(self) -> Sequence[Any] | None:
        import asyncssh

        if self._config.key is None:
            return None
        phrase = reveal(self._config.passphrase) if self._config.passphrase is not None else None
        try:
            return [asyncssh.read_private_key(Path(reveal(self._config.key)).expanduser(), phrase)]
        except (OSError, ValueError):  # no file, no key, another passphrase
            raise SourceError(
                "LL-SOURCE-002", f"the private key for {self._root} can't be read", where=self._root,
                fix="mend 'key', which names a file, and 'passphrase' in 'stores:'",
            ) from None  # fmt: skip


def lost() -> tuple[type[Exception], ...]:
    """Return what is raised of requests whose connection has ended; all else of SFTP is the server's answer."""
    import asyncssh

    return asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost


_LOOPS: dict[int, asyncio.AbstractEventLoop] = {}
_STARTING = threading.Lock()


def awaited(work: Coroutine[Any, Any, T]) -> T:
    """Let the process's loop do the work, and wait for what it returns or raises."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def begun(work: Coroutine[Any, Any, object]) -> None:
    """Let the process's loop do the work, without waiting: also what the loop's own thread gives up may be ended so."""
    asyncio.run_coroutine_threadsafe(work, _loop())


def _loop() -> asyncio.AbstractEventLoop:
    # By process: a thread does not come along into one that was forked.
    with _STARTING:
        loop = _LOOPS.get(os.getpid())
        if loop is None:
            loop = _LOOPS[os.getpid()] = asyncio.new_event_loop()
            # What fails over a broken line is told to who asked; that others waited for the same is no news.
            loop.set_exception_handler(lambda _, told: logging.getLogger(__name__).debug("%s", told.get("message")))
            threading.Thread(target=loop.run_forever, name="sftp", daemon=True).start()
        return loop


def _closed(slots: Sequence[_Slot]) -> None:
    """Close the connections of a store that nobody holds any more."""
    loop = _LOOPS.get(os.getpid())
    for slot in slots:
        if slot.line is not None and loop is not None:
            loop.call_soon_threadsafe(slot.drop)
