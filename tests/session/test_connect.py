"""Choosing Spark Connect, and refusing what it can't do; a real server is met in tests/scenarios/test_connect.py."""

import pytest

from lakeloom.core.errors import ConfigError, SetupError
from lakeloom.session import connect


class Client:
    """Of a class that Spark Connect's client would have."""


Client.__module__ = "pyspark.sql.connect.session"


def test_the_overlay_names_the_server_and_the_environment_where_it_does_not(monkeypatch):
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    assert connect.address({}) is None
    assert connect.address({"spark.remote": "sc://a"}) == "sc://a"
    monkeypatch.setenv("SPARK_REMOTE", "sc://b")
    assert connect.address(None) == "sc://b"
    assert connect.address({"spark.remote": "sc://a"}) == "sc://a"


def test_sessions_are_told_apart(spark):
    assert connect.is_connect(Client())
    assert not connect.is_connect(spark)
    assert connect.active() is None


def test_what_needs_a_driver_is_refused_on_a_client_and_nowhere_else(spark):
    connect.require_driver(spark, "SparkTrials")
    connect.require_driver(None, "SparkTrials")
    with pytest.raises(SetupError, match="SparkTrials") as refused:
        connect.require_driver(Client(), "SparkTrials")
    assert refused.value.code == "LL-SETUP-010"


@pytest.mark.parametrize("place", ["127.0.0.1:15002", "http://a", "sc://", "sc:// a"])
def test_a_malformed_address_is_refused_without_showing_it(place):
    with pytest.raises(ConfigError) as refused:
        connect.start(place, None, "tests")
    assert refused.value.code == "LL-CONF-004"
    assert place not in refused.value.message
