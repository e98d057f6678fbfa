"""Servers of PostgreSQL and MariaDB, started by the first test that asks for one."""

from contextlib import ExitStack

import pytest

from tests import servers

WHO = {"user": "loom", "password": servers.KEYS["secret_key"]}


@pytest.fixture(scope="session")
def databases(spark, tmp_path_factory):
    """Give a function that starts a server at its first call and returns its database."""
    folder, found = tmp_path_factory.mktemp("databases"), {}
    kinds = {
        "postgresql": (servers.postgresql, "jdbc:postgresql://127.0.0.1:{}/postgres", "org.postgresql.Driver"),
        "mariadb": (servers.mariadb, "jdbc:mariadb://127.0.0.1:{}/fleet", "org.mariadb.jdbc.Driver"),
    }
    with ExitStack() as stack:

        def database(kind):
            start, url, driver = kinds[kind]
            if kind not in found:
                found[kind] = stack.enter_context(start(folder))
            if found[kind] is None:
                pytest.skip(f"{kind} is not installed on this machine")
            return servers.Database(spark, url.format(found[kind]), driver, **WHO)

        yield database
