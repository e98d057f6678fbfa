"""A real Derby network server on a free port of the loopback, with one user and password."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

USER, PASSWORD = "fleet_reader", "corrie-aardvark-7"


class DerbyServer:
    """Starts, kills and restarts the server over one folder of databases."""

    def __init__(self, home: Path, jars: list[Path]) -> None:
        self.home, self.jars = home, jars
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The database's URL, without user and password."""
        return f"jdbc:derby://127.0.0.1:{self.port}/fleet"

    def start(self) -> None:
        """Start it and wait until it answers."""
        java = shutil.which("java") or "java"
        self.process = subprocess.Popen(
            [
                java,
                f"-Dderby.system.home={self.home}",
                "-Dderby.connection.requireAuthentication=true",
                "-Dderby.authentication.provider=BUILTIN",
                f"-Dderby.user.{USER}={PASSWORD}",
                "-cp",
                ":".join(str(jar) for jar in self.jars),
                "org.apache.derby.drda.NetworkServerControl",
                "start",
                "-noSecurityManager",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("Derby's network server did not start")

    def kill(self) -> None:
        """SIGKILL the server."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
