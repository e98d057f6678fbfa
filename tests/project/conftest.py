"""What stands in a config is judged the same on every machine, whichever extras it has."""

import pytest

from lakeloom.project import check


@pytest.fixture(autouse=True)
def any_machine(request, monkeypatch):
    """Let `check` find the config's own mistakes only, but where the extras are the subject."""
    if not request.path.name.startswith("test_extras"):
        monkeypatch.setattr(check, "ON_THIS_MACHINE", ())
