"""Buckets of each kind of store, each test its own; a server of each kind runs once for all tests."""

import itertools

import pytest

from tests import servers

NUMBERS = itertools.count(1)
KINDS = {
    "s3": (servers.versitygw, servers.S3Bucket), "moto": (servers.moto, servers.S3Bucket),
    "gs": (servers.google, servers.GcsBucket), "abfss": (servers.azurite, servers.AzureBucket),
}  # fmt: skip


@pytest.fixture(scope="session")
def ports(tmp_path_factory):
    """Give a function that starts a kind of server at its first call and returns its port."""
    from contextlib import ExitStack

    found, folder = {}, tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:

        def port(kind):
            if kind not in found:
                found[kind] = stack.enter_context(KINDS[kind][0](folder))
            if found[kind] is None:
                pytest.skip(f"what the server of {kind} is installed by (Go, npm) is not on this machine")
            return found[kind]

        yield port


@pytest.fixture
def bucket_of(ports):
    """Give a function that makes an empty bucket of a kind of store."""
    return lambda kind: KINDS[kind][1](f"loom-{next(NUMBERS)}", ports(kind))


@pytest.fixture(params=["s3", "moto", "gs", "abfss"])
def bucket(request, bucket_of):
    """Give an empty bucket of each kind of store."""
    return bucket_of(request.param)
