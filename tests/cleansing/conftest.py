"""What the tests of all verbs do: rows in, verbs, rows out with what was counted and why rows were faulted."""

from dataclasses import dataclass, field

import pytest

from lakeloom.cleansing import clean


@dataclass
class Cleansed:
    """The rows that came out, in the order of their column ``id`` where there is one."""

    rows: list
    columns: list
    changed: dict = field(default_factory=dict)

    def values(self, column):
        return [row[column] for row in self.rows]

    def by_id(self, column):
        return {row["id"]: row[column] for row in self.rows}

    @property
    def faults(self):
        return {row["id"]: list(row["_faults"]) for row in self.rows if row["_faults"]}

    @property
    def unread(self):
        return {row["id"]: [tuple(each) for each in row["_unread"]] for row in self.rows if row["_unread"]}


@pytest.fixture
def cleansed(spark):
    """Cleanse rows, given as tuples of a schema, or a frame; one Spark job."""

    def run(rows, schema, verbs):
        frame = spark.createDataFrame(rows, schema) if schema else rows
        out = clean(frame, verbs)
        found = [row.asDict() for row in out.collect()]
        if "id" in out.columns:
            found.sort(key=lambda row: (row["id"] is None, row["id"]))
        tallies = [name for name in out.columns if name.startswith("_changed_")]
        changed = {name.removeprefix("_changed_"): sum(row[name] for row in found) for name in tallies}
        return Cleansed(found, [name for name in out.columns if not name.startswith("_")], changed)

    return run
