"""How a database's driver is asked: verified over a network, and by nothing that the config has not said."""

from pathlib import Path

import pytest

from lakeloom.sinks.jdbc import JdbcSinkConfig
from lakeloom.sinks.jdbc.connection import Place


def properties(url, **more):
    return Place(JdbcSinkConfig(url=url, table="t", **more), Path("/home")).properties


@pytest.mark.parametrize(
    ("url", "word"),
    [("jdbc:postgresql://db.example/x", "sslmode"), ("jdbc:mariadb://db.example/x", "sslMode")],
)
def test_a_server_over_a_network_is_verified_unless_that_is_off(url, word):
    assert properties(url)[word] == "verify-full"
    assert word not in properties(url, tls="off") and word not in properties(url.replace("db.example", "127.0.0.1"))
    assert properties(url, properties={word: "disable"})[word] == "disable"
    told = properties(url, tls={"ca": "ca.pem"})
    assert told[word] == "verify-full" and "/home/ca.pem" in told.values()


def test_texts_become_what_their_column_is_and_what_is_said_holds():
    told = properties("jdbc:postgresql://127.0.0.1/x", user="loom", password="x" * 9)
    assert (told["stringtype"], told["user"]) == ("unspecified", "loom")
    assert "stringtype" not in properties("jdbc:postgresql://127.0.0.1/x?stringtype=varchar")
