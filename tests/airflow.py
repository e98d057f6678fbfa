"""A real Airflow in an environment of its own, made once from its lock and kept in the user's cache folder."""

from pathlib import Path

from stages import apart
from stages.places import Places


def interpreter() -> Path:
    """Return the Python that has Airflow; installs it where this lock's was never installed."""
    return apart.interpreter(Places.here(), "airflow")
