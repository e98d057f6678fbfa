import pytest

from lakeloom.config.placeholders import placeholders, resolve
from lakeloom.core.errors import ConfigError
from lakeloom.core.secrets import Secret


def test_variables_and_defaults(monkeypatch):
    monkeypatch.setenv("FLEET_HOST", "db1")
    assert resolve({"url": "jdbc:x://${env:FLEET_HOST}:${env:FLEET_PORT:-1527}/f", "n": [1]}) == {
        "url": "jdbc:x://db1:1527/f",
        "n": [1],
    }


def test_a_secret_is_a_secret_also_inside_a_longer_text(monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRET_FLEET_PASSWORD", "walrus-55")
    alone, inside = resolve(["${secret:fleet/password}", "jdbc:x:password=${secret:fleet/password}"])
    assert isinstance(alone, Secret) and alone.reveal() == "walrus-55"
    assert isinstance(inside, Secret) and "walrus" not in str(inside)


def test_a_secret_from_a_file_that_only_its_owner_reads(monkeypatch, tmp_path):
    file = tmp_path / "fleet" / "key"
    file.parent.mkdir()
    file.write_text("walrus-66\n")
    monkeypatch.setenv("LAKELOOM_SECRETS", str(tmp_path))
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="LL-CONF-008"):
        resolve("${secret:fleet/key}")
    file.chmod(0o600)
    assert resolve("${secret:fleet/key}").reveal() == "walrus-66"


@pytest.mark.parametrize("text", ["${env:NO_SUCH_VARIABLE}", "${secret:no/such}", "${secret:../../etc/passwd}"])
def test_what_is_not_set_is_a_coded_error(text, tmp_path, monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRETS", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        resolve(text, "sources.planes.url")
    assert caught.value.code == "LL-CONF-008"
    assert caught.value.where == "sources.planes.url"


def test_placeholders_are_listed():
    assert list(placeholders({"a": ["${env:X:-1}", "${secret:s/k}"]})) == [("env", "X"), ("secret", "s/k")]
