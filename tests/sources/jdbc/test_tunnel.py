"""A database behind a machine that is reached by SSH, whose server is Debian's own."""

import getpass
import shutil
from contextlib import contextmanager

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.jdbc import JdbcConfig
from tests import servers
from tests.servers import ssh
from tests.sources.jdbc.bronze import Bronze

CONFIG = """\
PasswordAuthentication no
AllowTcpForwarding yes
PermitRootLogin prohibit-password
"""


@contextmanager
def sshd(home):
    """Yield the port of an SSH server that knows one key; None where it, or its client, is not installed."""
    if shutil.which("ssh") is None:
        yield None
        return
    with ssh.sshd(home, CONFIG, "[127.0.0.1]:{port}") as port:
        yield port


def tunnel_by(port, home):
    """Return what a source says of the tunnel by `sshd`."""
    return {"host": "127.0.0.1", "port": port, "user": getpass.getuser(), "key": str(home / "mine"),
            "known_hosts": str(home / "known")}  # fmt: skip


def test_a_database_is_read_through_a_tunnel_which_ends_with_the_read(spark, databases, tmp_path):
    database = databases("postgresql")
    database.run("CREATE TABLE far AS SELECT g AS id FROM generate_series(1, 30) g")
    home = tmp_path / "ssh"
    with sshd(home) as port:
        if port is None:
            pytest.skip("no SSH server is installed on this machine")
        tunnel = tunnel_by(port, home)
        said = {"table": "far", "partitions": {"column": "id", "number": 2}}
        bronze = Bronze(spark, database, **said, tunnel=tunnel)
        assert len(bronze.land()) == 30 and bronze.ids() == list(range(1, 31))
        came = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%far%' AND pid <> pg_backend_pid()"
        assert database.rows(came) == [("0",)]
        for more, code, transient in (
            ({"key": str(home / "other")}, "LL-SOURCE-002", False),
            ({"known_hosts": str(home / "wrong")}, "LL-SOURCE-012", False),
            ({"port": servers.free_port()}, "LL-SOURCE-001", True),
        ):
            with pytest.raises(SourceError) as caught:
                Bronze(spark, database, **said, tunnel=tunnel | more).land()
            assert (caught.value.code, caught.value.transient) == (code, transient)
            assert not any(word in str(caught.value) for word in ("127.0.0.1", str(home), str(port)))


@pytest.mark.parametrize("more", [{"host": "-oProxyCommand=touch /tmp/x"}, {"user": "-l"}, {"port": 0}])
def test_words_that_ssh_would_take_for_options_are_refused(more):
    said = {"kind": "jdbc", "url": "jdbc:postgresql://db/fleet", "table": "planes"}
    with pytest.raises(ValueError, match="tunnel"):
        JdbcConfig.model_validate(said | {"tunnel": {"host": "gate", "user": "reader"} | more})
