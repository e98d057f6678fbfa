"""What differs between a committed export and what the graph gives: each difference by its path."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# The entries of a list are told apart by one of these, where they have it; by their number elsewhere.
KEYS = ("task_key", "job_cluster_key")
_MISSING = object()


@dataclass(frozen=True)
class Difference:
    """One place where the file and the graph differ.

    Attributes
    ----------
    path : str
        ``resources.jobs.flights.tasks[silver__flights].max_retries``, or ``line 12``.
    file, graph : str or None
        What stands there, and what should; None where there is nothing.
    """

    path: str
    file: str | None
    graph: str | None

    def as_dict(self) -> dict[str, str | None]:
        """Return the entry of ``export --check --json``."""
        return {"path": self.path, "file": self.file, "graph": self.graph}

    def __str__(self) -> str:
        if self.file is None:
            return f"{self.path}: missing in the file, {self.graph} by the graph"
        if self.graph is None:
            return f"{self.path}: {self.file} in the file, not in the graph"
        return f"{self.path}: {self.file} in the file, {self.graph} by the graph"


def in_data(file: Any, graph: Any, path: str = "") -> Iterator[Difference]:
    """Yield the differences of two plain documents, in the order of the graph's."""
    if isinstance(file, list) and isinstance(graph, list):
        file, graph = _named(file, graph)
        start, end = f"{path}[", "]"
    else:
        start, end = f"{path}." if path else "", ""
    if isinstance(file, dict) and isinstance(graph, dict):
        for name in [*graph, *(name for name in file if name not in graph)]:
            yield from in_data(file.get(name, _MISSING), graph.get(name, _MISSING), f"{start}{name}{end}")
    elif file is _MISSING or graph is _MISSING or file != graph:
        yield Difference(path, _shown(file, graph), _shown(graph, file))


def in_lines(file: str, graph: str) -> Iterator[Difference]:
    """Yield the differences of two texts, by the line of the file."""
    have, want = file.splitlines(), graph.splitlines()
    for kind, start, end, other, stop in difflib.SequenceMatcher(None, have, want, autojunk=False).get_opcodes():
        if kind != "equal":
            old, new = "\n".join(have[start:end]), "\n".join(want[other:stop])
            yield Difference(f"line {start + 1}", _cut(old) if old else None, _cut(new) if new else None)


def _named(*lists: list[Any]) -> list[dict[str, Any]]:
    """Return the lists as mappings: by a key that tells the entries of each of them apart, or by number."""
    for key in KEYS:
        names = [[entry.get(key) if isinstance(entry, dict) else None for entry in entries] for entries in lists]
        if all(None not in each and len(set(each)) == len(each) for each in names):
            return [dict(zip(map(str, each), entries, strict=True)) for each, entries in zip(names, lists, strict=True)]
    return [{str(index): entry for index, entry in enumerate(entries)} for entries in lists]


def _shown(value: Any, other: Any) -> str | None:
    if value is _MISSING:
        return None
    # Where the types differ, quotes show it.
    return _cut(value if isinstance(value, str) and (isinstance(other, str) or other is _MISSING) else repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "…"
