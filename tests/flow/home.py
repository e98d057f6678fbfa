"""The shop's project on a home, and homes as they were after a run."""

import shutil

from lakeloom.config.load import read
from lakeloom.flow.runner import run
from lakeloom.project.check import checked
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from tests.shop import lay_out


class Shop:
    """The shop's project on a fresh home: run it, drop files into it, look at its tables."""

    def __init__(self, home):
        self.home, self.conf = home, home / "conf" if (home / "conf").exists() else lay_out(home)

    def project(self):
        return checked(read(self.conf))

    def run(self, *patterns, **options):
        return run(self.project(), patterns, **options)

    @property
    def lake(self):
        return Lake(self.project().root)

    def rows(self, table, *columns):
        found = self.lake.arrow(table, refs.good(self.lake)[table]).to_pylist()
        return sorted((tuple(row[c] for c in columns) for row in found), key=str)

    def statuses(self, result):
        return {step.name: step.status for step in result.steps}


class Kept:
    """Homes of a shop as they were, to be laid anew in the one place that their storage root holds on to."""

    def __init__(self, home, spark):
        self.home, self.spark = home, spark

    def keep(self, name):
        shutil.copytree(self.home, self.home.with_name(name))

    def lay(self, name):
        """Lay the home as it was; the JVM forgets what the test before had there."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.home.with_name(name), self.home)
        self.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
        return Shop(self.home)
