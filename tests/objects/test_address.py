"""Addresses: what is listed, what matches, and what is none."""

import pytest

from lakeloom.core.errors import ConfigError
from lakeloom.objects.address import Address, is_address
from lakeloom.objects.opened import opening


@pytest.mark.parametrize(
    ("pattern", "prefix", "taken", "left"),
    [
        ("in/*.csv", "in/", ["in/a.csv"], ["in/b/a.csv", "in/a.csv.gz", "in/_a.csv", "in/.a.csv", "xin/a.csv"]),
        ("in/**/*.csv", "in/", ["in/a.csv", "in/b/c/a.csv"], ["in/b/c/_a.csv", "a.csv"]),
        ("in/day=202[0-3]/x?.csv", "in/day=202", ["in/day=2021/x1.csv"], ["in/day=2024/x1.csv", "in/day=2021/x/.csv"]),
        ("in/[!a]*", "in/", ["in/b", "in/b.csv"], ["in/a", "in//"]),
        ("in/a+b (1).csv", "in/a+b (1).csv", ["in/a+b (1).csv"], ["in/aab (1).csv"]),
        ("**", "", ["a", "a/b/c"], ["a/_b"]),
        ("in/[", "in/", ["in/["], ["in/"]),
    ],
)
def test_a_pattern_lists_by_its_fixed_beginning_and_takes_what_matches(pattern, prefix, taken, left):
    address = Address.parse(f"s3://shop/{pattern}")
    assert address.prefix == prefix
    assert [key for key in [*taken, *left] if address.matches(key)] == taken


def test_what_is_an_address_and_what_is_a_path():
    assert [is_address(text) for text in ("s3://b/k", "file:///in/*.csv", "landing/*.csv", "C:/x", "/in/a:b")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    azure = Address.parse("abfss://in@shop.dfs.core.windows.net/day/*.csv")
    assert (azure.bucket, azure.of("day/1.csv")) == (
        "in@shop.dfs.core.windows.net", "abfss://in@shop.dfs.core.windows.net/day/1.csv",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [("s3://shop", "LL-CONF-004", "no address"), ("s3:///x", "LL-CONF-004", "no address"),
     ("htps://shop/x", "LL-CONF-020", "use 'https://'"), ("ftp://shop/x", "LL-CONF-020", "known are s3")],
)  # fmt: skip
def test_what_is_no_address_is_refused(text, code, part):
    with pytest.raises(ConfigError) as caught:
        Address.parse(text)
    assert caught.value.code == code and part in str(caught.value)


def test_the_longest_entry_holds_and_a_wrong_option_is_named(monkeypatch):
    monkeypatch.setenv("LAKELOOM_SECRET_S3_KEY", "marked-secret-4711")
    stores = {"s3://shop": {"region": "eu-west-1"}, "s3:": {"region": "x", "secret_key": "${secret:s3/key}"}}
    assert opening(Address.parse("s3://shop/a"), stores).config.region == "eu-west-1"
    other = opening(Address.parse("s3://shopping/a"), stores)
    assert other.config.region == "x" and other.config.secret_key.reveal() == "marked-secret-4711"
    assert "4711" not in repr(other) + str(other.config)
    assert opening(Address.parse("gs://shop/a"), stores).config.endpoint is None
    with pytest.raises(ConfigError) as caught:
        opening(Address.parse("s3://shop/a"), {"s3://shop": {"regoin": "x"}})
    assert caught.value.code == "LL-CONF-004" and "region" in caught.value.fix
