import pytest

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.api.scaffold import scaffold
from lakeloom.core.errors import ConfigError


def test_the_scaffold_has_no_mistakes(tmp_path):
    scaffold("shop", tmp_path)
    assert open_lakehouse(tmp_path / "conf").check() == []


def test_nothing_is_overwritten(tmp_path):
    scaffold("shop", tmp_path)
    with pytest.raises(ConfigError) as caught:
        scaffold("other", tmp_path)
    assert caught.value.code == "LL-CONF-016"
    assert not (tmp_path / "conf/other").exists()


@pytest.mark.parametrize("name", ["", "../shop", "a b", "1x"])
def test_a_name_must_be_plain(tmp_path, name):
    with pytest.raises(ConfigError) as caught:
        scaffold(name, tmp_path)
    assert caught.value.code == "LL-CONF-014"
    assert list(tmp_path.iterdir()) == []
