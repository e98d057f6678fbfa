"""An SFTP server: OpenSSH's own, with one user, who is the one that runs the tests, let in by a key."""

import getpass
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from tests.servers.buckets import Bucket
from tests.servers.running import free_port, running

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host
AuthorizedKeysFile {home}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication yes
PermitRootLogin yes
KbdInteractiveAuthentication no
AllowTcpForwarding no
MaxStartups 100
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""
# A port → the folder of its server: keys, and what buckets hold.
_HOMES = {}


@contextmanager
def sftp(folder):
    """Yield the port of a server; None where OpenSSH's is not installed."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None or shutil.which("ssh-keygen") is None:
        yield None
        return
    home, port = folder / "sftp", free_port()
    home.mkdir()
    words = [program, "-D", "-e", "-f", home / "config"]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # which the package's own start would make
        # Root reads what it likes; a server of files that refuses must not.
        words = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all", *words]
    for name, *more in (("host", ""), ("mine", ""), ("other", ""), ("locked", "open sesame")):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", *more, "-f", home / name], check=True)
    (home / "authorized").write_text("".join((home / f"{name}.pub").read_text() for name in ("mine", "locked")))
    for name, key in (("known", "host"), ("wrong", "other")):
        # Without a port, since lines to the server that can be spoilt have other ones.
        (home / name).write_text("127.0.0.1 " + " ".join((home / f"{key}.pub").read_text().split()[:2]) + "\n")
    (home / "config").write_text(CONFIG.format(port=port, home=home))
    with running(words, port, home / "log"):
        _HOMES[port] = home
        yield port


class SftpBucket(Bucket):
    """A folder of the server; a key of the store is an absolute path, so that the folder's own is a part of it.

    Attributes
    ----------
    home : Path
        Where the server's and the user's keys lie: host, mine, other, locked, known, wrong.
    folder : Path
        The bucket's own.
    """

    verified = "size"

    def __init__(self, name, port):
        self.home = _HOMES[port]
        self.folder = self.home / "buckets" / name
        self.folder.mkdir(parents=True)
        self.below = f"{str(self.folder).removeprefix('/')}/"
        self.port, self.user = port, getpass.getuser()
        super().__init__(*self.at(port))

    def at(self, port):
        """Return root and ``stores:`` where the server is reached by another port."""
        host = f"sftp://{self.user}@127.0.0.1:{port}"
        return f"{host}{self.folder}", {host: {"key": str(self.home / "mine"), "known_hosts": str(self.home / "known")}}

    def put(self, key, content):
        """Write a file over what lies there, as if a second after it: that is what the protocol tells apart."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime if path.exists() else None
        path.write_bytes(content)
        if before is not None:
            os.utime(path, (before + 1, before + 1))

    def delete(self, key):
        (self.folder / key).unlink()
