"""A database behind another machine: its port is forwarded through SSH while it is asked.

OpenSSH's own client does it, with the user's agent and settings where no key is named. The other machine's
host key must be known: nothing is taken on trust. What the client says is never shown, since it names hosts.

Refused: a cluster, whose executors have no way into this machine's end of a tunnel.

Source: the manual pages ssh(1) and ssh_config(5).
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lakeloom.core.errors import SourceError
from lakeloom.core.secrets import Secret, reveal
from lakeloom.session.connect import is_connect
from lakeloom.session.settings import is_local
from lakeloom.sources.jdbc.config import JdbcConfig
from lakeloom.sources.jdbc.dialects import product

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PORTS = {"postgresql": 5432, "mysql": 3306, "sqlserver": 1433, "derby": 1527}
LIMIT_S = 30
_PLACE = re.compile(r"//(?P<host>\[[^\]]+\]|[^/:;?,]+)(?::(?P<port>\d+))?(?=[/;?]|$)")


@contextmanager
def reached(config: JdbcConfig, spark: SparkSession) -> Iterator[JdbcConfig]:
    """Give the config under which the database is reached: through its tunnel, which ends with the block.

    Raises
    ------
    SourceError
        LL-SOURCE-001 where the other machine can't be reached, -002 where it refuses the key, -004 without an SSH
        client, on a cluster, for a URL of several hosts, -008 where its host key is not known.
    """
    if config.tunnel is None:
        yield config
        return
    where = f"jdbc source {config.table or 'query'}"
    url = reveal(config.url)
    place = _PLACE.search(url)
    port = place and (place["port"] or PORTS.get(product(url)))
    program = shutil.which("ssh")
    if is_connect(spark) or not is_local(spark.sparkContext.master):
        raise SourceError(
            "LL-SOURCE-004", "a tunnel ends on this machine, where executors of a cluster can't enter it", where=where,
            fix="forward the port on a machine that they reach, and name that in 'url'",
        )  # fmt: skip
    if place is None or not port or program is None:
        told = "there is no SSH client" if program is None else "the url names no single host and port to forward"
        raise SourceError("LL-SOURCE-004", told, where=where, fix="install openssh-client, or mend 'url'")
    with _forwarded(config, [program], f"{place['host']}:{port}", where) as near:
        through = f"{url[: place.start()]}//127.0.0.1:{near}{url[place.end() :]}"
        kept = Secret(through) if isinstance(config.url, Secret) else through
        yield config.model_copy(update={"url": kept})


@contextmanager
def _forwarded(config: JdbcConfig, program: list[str], target: str, where: str) -> Iterator[int]:
    """Forward a free port of this machine to the target until the block ends."""
    tunnel = config.tunnel
    assert tunnel is not None
    near = _free()
    options = {
        "BatchMode": "yes", "StrictHostKeyChecking": "yes", "ExitOnForwardFailure": "yes",
        "ConnectTimeout": str(LIMIT_S), "ServerAliveInterval": "15", "ServerAliveCountMax": "3",
    }  # fmt: skip
    if tunnel.known_hosts is not None:
        options["UserKnownHostsFile"] = tunnel.known_hosts
    words = [*program, "-N", "-L", f"127.0.0.1:{near}:{target}", "-p", str(tunnel.port), "-l", tunnel.user]
    words += [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    if tunnel.key is not None:
        words += ["-i", tunnel.key, "-o", "IdentitiesOnly=yes"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([*words, "--", tunnel.host], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            if not _listens(process, near):
                said.seek(0)
                raise _refused(said.read().decode(errors="replace"), where)
            yield near
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _refused(said: str, where: str) -> SourceError:
    if "Host key verification failed" in said:
        return SourceError(
            "LL-SOURCE-012", "the tunnel's host key is not known, or another", where=where,
            fix="add it to the file that 'tunnel.known_hosts' names, after comparing it with its owner's",
        )  # fmt: skip
    if "Permission denied" in said or "Load key" in said:
        return SourceError(
            "LL-SOURCE-002", "the tunnel's machine refused the user or key", where=where,
            fix="mend 'tunnel.user' and 'tunnel.key'; a key with a passphrase belongs into the agent",
        )  # fmt: skip
    return SourceError(
        "LL-SOURCE-001", "the tunnel's machine can't be reached", where=where,
        fix="start it, or mend 'tunnel'; the same batch is read again", transient=True,
    )  # fmt: skip


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
