"""An SFTP server: OpenSSH's own, with one user, who is the one that runs the tests, let in by a key."""

import getpass
import os
from contextlib import contextmanager

from tests.servers.buckets import Bucket
from tests.servers.ssh import sshd

CONFIG = """\
PasswordAuthentication yes
PermitRootLogin yes
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
    # Root reads what it likes; a server of files that refuses must not.
    less = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
    before, home = less if os.geteuid() == 0 else [], folder / "sftp"
    # Without a port, since lines to the server that can be spoilt have other ones.
    with sshd(home, CONFIG, "127.0.0.1", locked=[("locked", "open sesame")], before=before) as port:
        if port is not None:
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
