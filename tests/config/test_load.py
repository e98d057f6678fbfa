import pytest

from lakeloom.config.load import read
from lakeloom.core.errors import ConfigError


@pytest.fixture
def conf(tmp_path):
    top = tmp_path / "conf"
    (top / "shop").mkdir(parents=True)
    (top / "base.yml").write_text("project: shop\nslots: 2\nspark: {a.b: 1, c: 2}\n")
    (top / "cluster.yml").write_text("slots: 8\nspark: {a.b: 3}\n")
    (top / "shop" / "sources.yml").write_text("sources:\n  orders: {kind: files, path: in/*.csv}\n")
    return top


def test_overlays_merge_by_key_and_marks_follow(conf):
    raw = read(conf, "cluster")
    assert raw.document.data["slots"] == 8
    assert raw.document.data["spark"] == {"a.b": 3, "c": 2}
    assert raw.document.marks["spark", "a.b"] == ("conf/cluster.yml", 2)
    assert raw.document.marks["spark", "c"] == ("conf/base.yml", 3)
    assert raw.document.marks["sources", "orders"] == ("conf/shop/sources.yml", 2)
    assert (raw.project, raw.env, raw.home) == ("shop", "cluster", conf.parent.resolve())


def test_the_project_may_be_named_by_its_folder(conf):
    assert read(conf / "shop").project == "shop"
    assert read(conf / "shop").document.data == read(conf).document.data


@pytest.mark.parametrize(("where", "env"), [("none", None), ("conf", "moon"), ("conf/shpo", None)])
def test_what_does_not_exist_is_a_coded_error(conf, where, env):
    with pytest.raises(ConfigError) as caught:
        read(conf.parent / where, env)
    assert caught.value.code == "LL-CONF-007"
    assert caught.value.exit_code == 2


def test_an_unknown_project_names_the_nearest(conf):
    (conf / "base.yml").write_text("project: shpo\n")
    with pytest.raises(ConfigError) as caught:
        read(conf)
    assert caught.value.fix == "use 'shop'"
