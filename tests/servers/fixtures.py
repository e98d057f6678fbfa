"""Stores and databases for tests: each server is started by the first test that asks for it, and runs once for all."""

import itertools
from contextlib import ExitStack

import pytest

from tests import servers

STORES = {
    "s3": (servers.versitygw, servers.S3Bucket), "moto": (servers.moto, servers.S3Bucket),
    "gs": (servers.google, servers.GcsBucket), "abfss": (servers.azurite, servers.AzureBucket),
    "sftp": (servers.sftp, servers.SftpBucket),
}  # fmt: skip
DATABASES = {
    "postgresql": (servers.postgresql, "jdbc:postgresql://127.0.0.1:{}/postgres", "org.postgresql.Driver"),
    "mariadb": (servers.mariadb, "jdbc:mariadb://127.0.0.1:{}/fleet", "org.mariadb.jdbc.Driver"),
}
WHO = {"user": "loom", "password": servers.KEYS["secret_key"]}
_NUMBERS = itertools.count(1)


def _port_of(starts, folder, stack):
    """Return a function that starts a kind of server at its first call and returns its port."""
    found = {}

    def port(kind):
        if kind not in found:
            found[kind] = stack.enter_context(starts[kind][0](folder))
        if found[kind] is None:
            pytest.skip(
                f"{kind}: its server, or what installs it (Go, npm, Debian's openssh-server), is not on this machine"
            )
        return found[kind]

    return port


@pytest.fixture(scope="session")
def ports(tmp_path_factory):
    """Give a function from a kind of store to the port of its server."""
    with ExitStack() as stack:
        yield _port_of(STORES, tmp_path_factory.mktemp("stores"), stack)


@pytest.fixture
def bucket_of(ports):
    """Give a function that makes an empty bucket of a kind of store."""
    return lambda kind: STORES[kind][1](f"loom-{next(_NUMBERS)}", ports(kind))


@pytest.fixture(scope="session")
def spoilt_lines(tmp_path_factory):
    """Give lines to servers that can be spoilt."""
    with servers.toxiproxy(tmp_path_factory.mktemp("lines")) as found:
        if found is None:
            pytest.skip("what the proxy is installed by (Go) is not on this machine")
        yield found


@pytest.fixture(scope="session")
def databases(spark, tmp_path_factory):
    """Give a function from a kind of database to one: of a server, which all share, or in a file of its own."""
    folder = tmp_path_factory.mktemp("databases")
    with ExitStack() as stack:
        port = _port_of(DATABASES, folder, stack)

        def database(kind):
            number = next(_NUMBERS)
            if kind == "sqlite":
                return servers.Database(spark, f"jdbc:sqlite:{folder}/{number}.db", "org.sqlite.JDBC")
            if kind == "derby":
                driver = "org.apache.derby.iapi.jdbc.AutoloadedDriver"
                return servers.Database(spark, f"jdbc:derby:{folder}/derby-{number};create=true", driver)
            _, url, driver = DATABASES[kind]
            return servers.Database(spark, url.format(port(kind)), driver, **WHO)

        yield database


@pytest.fixture
def table():
    """Give a table's name that no other test has."""
    return f"t_{next(_NUMBERS)}"
