"""OpenSSH's own server, with keys that are made for it: whom it lets in, and by which it is known."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from tests.servers.running import free_port, running

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host
AuthorizedKeysFile {home}/authorized
PidFile none
StrictModes no
UsePAM no
KbdInteractiveAuthentication no
"""


@contextmanager
def sshd(home, config, known, locked=(), before=()):
    """Yield the port of a server; None where OpenSSH's is not installed.

    In `home` lie the keys host, mine and other, with those of `locked` (name, passphrase), the files of hosts known
    (right) and wrong, and the log. `config` are lines behind the common ones, `known` is the host's name in those
    files, ``{port}`` in it the port; `before` are words that the server is started by.
    """
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None or shutil.which("ssh-keygen") is None:
        yield None
        return
    home.mkdir()
    port = free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # which the package's own start would make
    for name, phrase in (("host", ""), ("mine", ""), ("other", ""), *locked):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", home / name], check=True)
    may = ["mine", *(name for name, _ in locked)]
    (home / "authorized").write_text("".join((home / f"{name}.pub").read_text() for name in may))
    for name, key in (("known", "host"), ("wrong", "other")):
        public = " ".join((home / f"{key}.pub").read_text().split()[:2])
        (home / name).write_text(f"{known.format(port=port)} {public}\n")
    (home / "config").write_text(CONFIG.format(port=port, home=home) + config)
    with running([*before, program, "-D", "-e", "-f", home / "config"], port, home / "log"):
        yield port
