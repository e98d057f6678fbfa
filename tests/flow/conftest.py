import pytest

from tests.flow.home import Kept, Shop


@pytest.fixture
def shop(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Shop(tmp_path)


@pytest.fixture(scope="session")
def kept(tmp_path_factory, spark):
    """Give the shop as its orders were made, and as everything was."""
    home = tmp_path_factory.mktemp("kept") / "shop"
    home.mkdir()
    shop, kept = Shop(home), Kept(home, spark)
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LAKELOOM_HOME", raising=False)
        assert shop.run("+silver.orders").status == "done"
        kept.keep("ordered")
        assert shop.run().status == "done"
        kept.keep("ran")
    return kept


@pytest.fixture
def ran(kept, monkeypatch):
    """Give the shop after a run of everything: order 3 (of -5 euro) is in quarantine."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return kept.lay("ran")


@pytest.fixture
def ordered(kept, monkeypatch):
    """Give the shop after a run of its orders alone: order 3 is in quarantine."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return kept.lay("ordered")
