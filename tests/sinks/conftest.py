"""Databases to write to, each a server or a file of its own, started at its first use."""

import itertools

import pytest

from tests import servers

NUMBERS = itertools.count(1)
WHO = {"user": "loom", "password": servers.KEYS["secret_key"]}
SERVERS = {
    "postgresql": (servers.postgresql, "jdbc:postgresql://127.0.0.1:{}/postgres", "org.postgresql.Driver"),
    "mariadb": (servers.mariadb, "jdbc:mariadb://127.0.0.1:{}/fleet", "org.mariadb.jdbc.Driver"),
}


@pytest.fixture(scope="session")
def databases(spark, tmp_path_factory):
    """Give a function that returns a database of a kind."""
    from contextlib import ExitStack

    folder, found = tmp_path_factory.mktemp("databases"), {}
    with ExitStack() as stack:

        def database(kind):
            number = next(NUMBERS)
            if kind == "sqlite":
                return servers.Database(spark, f"jdbc:sqlite:{folder}/{number}.db", "org.sqlite.JDBC")
            if kind == "derby":
                driver = "org.apache.derby.iapi.jdbc.AutoloadedDriver"
                return servers.Database(spark, f"jdbc:derby:{folder}/derby-{number};create=true", driver)
            start, url, driver = SERVERS[kind]
            if kind not in found:
                found[kind] = stack.enter_context(start(folder))
            if found[kind] is None:
                pytest.skip(f"{kind} is not installed on this machine")
            return servers.Database(spark, url.format(found[kind]), driver, **WHO)

        yield database


@pytest.fixture
def table():
    """Give a name that no other test has."""
    return f"t_{next(NUMBERS)}"
