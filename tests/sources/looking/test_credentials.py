"""Who asks is parted from a URL, and no value of a secret stands in what is written."""

import pytest

from lakeloom.core.errors import ConfigError
from lakeloom.sources.looking.credentials import options_of, parted, refuse_signed, written


@pytest.mark.parametrize(
    ("url", "bare", "given"),
    [
        ("jdbc:postgresql://db/f?user=u&ssl=true&password=p", "jdbc:postgresql://db/f?ssl=true", {"user": "u", "password": "p"}),
        ("jdbc:postgresql://db/f?ssl=true&sslpassword=p", "jdbc:postgresql://db/f?ssl=true", {"sslpassword": "p"}),
        ("jdbc:mariadb://u:p@db/f?x=1", "jdbc:mariadb://db/f?x=1", {"user": "u", "password": "p"}),
        ("jdbc:derby://db:1527/f;user=u;password=p;create=true", "jdbc:derby://db:1527/f;create=true", {"user": "u", "password": "p"}),
        ("jdbc:sqlserver://db;databaseName=f;user=u;password=p", "jdbc:sqlserver://db;databaseName=f", {"user": "u", "password": "p"}),
        ("jdbc:oracle:thin:u/p@//db:1521/x", "jdbc:oracle:thin:@//db:1521/x", {"user": "u", "password": "p"}),
        ("jdbc:sqlite:landing/fleet.db", "jdbc:sqlite:landing/fleet.db", {}),
        ("${env:URL}", "${env:URL}", {}),
        ("jdbc:postgresql://${env:H}/f?user=u&password=${secret:a/b}", "jdbc:postgresql://${env:H}/f", {"user": "u", "password": "${secret:a/b}"}),
    ],
)  # fmt: skip
def test_a_url_is_parted_from_who_asks(url, bare, given):
    found = parted(url)
    assert (found.url, found.given) == (bare, given)
    assert "password" not in repr(found)


def test_a_placeholder_stays_and_a_value_becomes_one():
    assert written("password", "${env:WORD}", "fleet") == "${env:WORD}"
    assert written("password", "maple", "fleet") == "${secret:fleet/password}"
    given = {"endpoint": "http://x", "access_key": "a", "headers.Authorization": "Bearer b", "region": "eu"}
    assert options_of(given, frozenset(("access_key", "headers")), "shop") == {
        "endpoint": "http://x", "region": "eu", "access_key": "${secret:shop/access_key}",
        "headers": {"Authorization": "${secret:shop/headers-Authorization}"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["https://u:p@host/a.csv", "https://host/a.csv?X-Amz-Signature=1", "https://h/a?sv=1&sig=x"]
)
def test_a_signed_address_is_refused(text):
    with pytest.raises(ConfigError, match="LL-CONF-024") as caught:
        refuse_signed(text)
    assert text not in str(caught.value)


@pytest.mark.parametrize("text", ["s3://bucket/in/*.csv", "https://host/a.csv?year=2026", "landing/a@b.csv"])
def test_others_are_not(text):
    refuse_signed(text)
