import pytest

from lakeloom.core.errors import ConfigError, LakeloomError
from lakeloom.core.kinds import pick

KINDS = {"names": "lakeloom.core.names:TableName"}


def test_a_kind_is_imported_when_it_is_asked_for():
    assert pick("names", KINDS).__name__ == "TableName"
    assert pick("lakeloom.core.names:TableRef", KINDS).__name__ == "TableRef"


@pytest.mark.parametrize(("kind", "code"), [("nmaes", "LL-CONF-020"), ("no.such:thing", "LL-CONF-021")])
def test_a_wrong_kind_is_a_coded_error(kind, code):
    with pytest.raises(ConfigError) as caught:
        pick(kind, KINDS, "sources.x")
    assert caught.value.code == code
    assert caught.value.where == "sources.x"
    if code == "LL-CONF-020":
        assert caught.value.fix == "use 'names'"


def test_a_code_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(KeyError):
        LakeloomError("LL-NONE-001", "x")
