"""The projects of the command line's tests: one with tables, from the API's tests, and what `lakeloom init` writes."""

import pytest

from lakeloom.api.scaffold import scaffold
from tests.api.conftest import home

__all__ = ["home"]


@pytest.fixture
def scaffolded(tmp_path, monkeypatch):
    """Give the folder, and working folder, of a project that `lakeloom init shop` wrote."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    scaffold("shop", tmp_path)
    return tmp_path
