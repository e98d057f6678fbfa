import pytest

from lakeloom.config.load import read
from lakeloom.flow.runner import run
from lakeloom.project.check import checked
from tests.shop import lay_out


class Shop:
    """The shop's project on a fresh home: run it, drop files into it, look at its tables."""

    def __init__(self, home):
        self.home, self.conf = home, lay_out(home)

    def project(self):
        return checked(read(self.conf))

    def run(self, *patterns, **options):
        return run(self.project(), patterns, **options)

    @property
    def lake(self):
        from lakeloom.store.lake import Lake

        return Lake(self.project().root)

    def rows(self, table, *columns):
        from lakeloom.store import refs

        found = self.lake.arrow(table, refs.good(self.lake)[table]).to_pylist()
        return sorted((tuple(row[c] for c in columns) for row in found), key=str)

    def statuses(self, result):
        return {step.name: step.status for step in result.steps}


@pytest.fixture
def shop(tmp_path, spark, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return Shop(tmp_path)
