"""Encrypted connections: verified by default over a network, refused where the certificate is not to be trusted."""

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.jdbc.tls import Tls, words
from tests import servers
from tests.servers.fixtures import DATABASES, WHO
from tests.sources.jdbc.bronze import Bronze

ENCRYPTED = {
    "postgresql": "SELECT ssl::text AS word FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mariadb": "SELECT IF(variable_value = '', 'false', 'true') AS word FROM information_schema.session_status"
    " WHERE variable_name = 'Ssl_cipher'",
}


@pytest.mark.parametrize("kind", DATABASES)
def test_a_server_is_verified_by_its_authority_and_one_of_another_is_refused(spark, tmp_path, kind):
    start, url, driver = DATABASES[kind]
    certificate = servers.certificates(tmp_path / "own")
    foreign = servers.certificates(tmp_path / "foreign")[2]
    with start(tmp_path, certificate) as port:
        if port is None:
            pytest.skip(f"{kind} is not installed on this machine")
        database = servers.Database(spark, url.format(port), driver, **WHO)
        (row,) = Bronze(spark, database, query=ENCRYPTED[kind], tls={"ca": str(certificate[2])}).land()
        assert row["word"] == "true"
        for more in ({"tls": {"ca": str(foreign)}}, {"tls": {}}):
            with pytest.raises(SourceError) as caught:
                Bronze(spark, database, query=ENCRYPTED[kind], **more).land()
            assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-012", False)
            assert not any(word in str(caught.value) for word in ("127.0.0.1", str(tmp_path), "loom-"))


@pytest.mark.parametrize("kind", DATABASES)
def test_a_server_without_encryption_is_refused_where_it_is_asked_for(spark, databases, kind):
    with pytest.raises(SourceError) as caught:
        Bronze(spark, databases(kind), query="SELECT 1 AS one", tls={}).land()
    assert caught.value.code == "LL-SOURCE-012"


@pytest.mark.parametrize(
    ("url", "tls", "told", "expected"),
    [
        ("jdbc:postgresql://db.example:5432/fleet", None, {}, {"sslmode": "verify-full"}),
        ("jdbc:postgresql://127.0.0.1,db.example/fleet", None, {}, {"sslmode": "verify-full"}),
        ("jdbc:postgresql://localhost:5432/fleet", None, {}, {}),
        (
            "jdbc:postgresql://127.0.0.1/fleet",
            Tls(ca="ca.pem"),
            {},
            {"sslmode": "verify-full", "sslrootcert": "ca.pem"},
        ),
        ("jdbc:postgresql://db.example/fleet", "off", {}, {}),
        ("jdbc:postgresql://db.example/fleet?sslmode=require", None, {}, {}),
        ("jdbc:postgresql://db.example/fleet", None, {"sslMode": "disable"}, {}),
        ("jdbc:mysql://db.example/fleet?permitMysqlScheme=true", None, {}, {"sslMode": "verify-full"}),
        ("jdbc:derby://db.example/fleet", None, {}, {}),
    ],
)
def test_over_a_network_a_server_is_verified_unless_the_source_says_otherwise(url, tls, told, expected):
    found = words(url, tls, told)
    assert {name: value for name, value in found.items() if name != "sslfactory"} == expected
    assert ("sslfactory" in found) == ("postgresql" in url and bool(expected) and not (tls and tls.ca))
