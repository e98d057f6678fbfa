"""Stores of each kind."""

import pytest


@pytest.fixture(params=["s3", "moto", "gs", "abfss", "sftp"])
def bucket(request, bucket_of):
    """Give an empty bucket of each kind of store."""
    return bucket_of(request.param)
