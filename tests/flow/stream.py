"""A project with one source of JSON lines and whatever tables a test declares."""

import json

from lakeloom.config.load import read
from lakeloom.flow.runner import run
from lakeloom.project.check import check, checked
from lakeloom.store import refs
from lakeloom.store.lake import Lake


class Stream:
    """Drop files of rows, run, look at the tables."""

    def __init__(self, home, columns, tables):
        self.home, self.files = home, 0
        self.folder = home / "conf" / "stream"
        self.folder.mkdir(parents=True)
        (home / "conf" / "base.yml").write_text("project: stream\nseed: 7\n")
        named = "".join(f"      {name}: {kind}\n" for name, kind in columns.items())
        (self.folder / "sources.yml").write_text(
            "sources:\n  changes:\n    kind: files\n    path: in/*.jsonl\n    format: json\n    columns:\n" + named
        )
        self.declare(tables)

    def declare(self, tables):
        (self.folder / "tables.yml").write_text(tables)

    def project(self):
        return checked(read(self.home / "conf"))

    def findings(self):
        return check(read(self.home / "conf"))[1]

    def drop(self, *rows):
        self.files += 1
        file = self.home / "in" / f"{self.files:03d}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(self, *patterns, **options):
        return run(self.project(), patterns, **options)

    def done(self, *patterns, **options):
        """Run; every step must end well. Return what the steps said, by name."""
        result = self.run(*patterns, **options)
        assert result.status == "done", [step.error for step in result.steps if step.error]
        return {step.name: step for step in result.steps}

    @property
    def lake(self):
        return Lake(self.project().root)

    def table(self, name, *columns):
        found = self.lake.arrow(name, refs.good(self.lake)[name]).to_pylist()
        return sorted((tuple(row[column] for column in columns) for row in found), key=str)


def versions(stream, table):
    """Return key → its versions (from, to, a, b) in a table of histories, oldest first."""
    found = {}
    for key, *version in stream.table(table, "id", "valid_from", "valid_to", "a", "b"):
        found.setdefault(key, []).append(tuple(version))
    return {key: sorted(rows, key=lambda row: row[0]) for key, rows in found.items()}
