"""What the tests of the set-up share."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(checkout=tmp_path / "checkout", cache=tmp_path / "cache")
    made.jars.mkdir(parents=True)
    return made
