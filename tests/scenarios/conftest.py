"""The flights project over a sample month whose drops are partly broken."""

import pytest

from tests.scenarios.flights import lay_out


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """Give the project: January as it was, and beside it what no reader or rule accepts."""
    return lay_out(tmp_path_factory.mktemp("flights"))
