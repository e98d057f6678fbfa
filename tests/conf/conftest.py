"""The demo's data laid out once a test run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

CONF = Path(__file__).resolve().parents[2] / "conf" / "flights"


@pytest.fixture(scope="session")
def landing() -> ModuleType:
    """conf/flights/landing.py as a module."""
    spec = importlib.util.spec_from_file_location("flights_landing", CONF / "landing.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def laid(landing, tmp_path_factory) -> Path:
    """The whole year, laid out once."""
    to = tmp_path_factory.mktemp("landing")
    landing.lay(to)
    return to
