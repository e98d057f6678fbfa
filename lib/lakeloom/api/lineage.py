"""What comes from what: of tables by the project's steps, of columns and versions by what was recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lakeloom.core.errors import TableError
from lakeloom.core.names import TableRef
from lakeloom.core.steps import Step
from lakeloom.lineage.columns import ColumnGraph, Place, at_version, by_tables, newest
from lakeloom.lineage.graph import Lineage, build
from lakeloom.lineage.made import Executions, Kept
from lakeloom.store.lake import Lake


def lineage(
    lake: Lake,
    steps: Sequence[Step],
    name: str | None,
    *,
    up: bool,
    down: bool,
    to: str | None = None,
    how: Collection[str] = (),
) -> Lineage:
    """Return a lineage; see `lakeloom.api.reading.Records.lineage`."""
    if name is None:
        return build(steps)
    first, last = Place.parse(name), Place.parse(to) if to is not None else None
    if not (first.point or first.column or (last and (last.point or last.column))):
        graph = build(steps)
        if last is not None:
            return graph.between(first.table, last.table)
        return graph.around(name) if up and down else graph.up(name) if up else graph.down(name)
    executions, kept = Executions(lake.root, {step.name for step in steps}), Kept(lake.root)
    if first.point or (last and last.point):
        return _at_version(lake, executions, kept, first, last, up=up, down=down, how=how)
    return _walked(newest(executions, kept), name, to, up=up, down=down, how=how)


def columns(lake: Lake, steps: Sequence[Step]) -> ColumnGraph:
    """Return the graph of all columns at their newest versions."""
    return newest(Executions(lake.root, {step.name for step in steps}), Kept(lake.root))


def _at_version(
    lake: Lake, executions: Executions, kept: Kept, first: Place, last: Place | None, *,
    up: bool, down: bool, how: Collection[str],
) -> Lineage:  # fmt: skip
    pinned = first if first.point else last
    assert pinned is not None
    version = _number(lake, pinned)
    graph = at_version(executions, kept, pinned.table, version)
    names = [graph.pinned(place, version if place is pinned else None) for place in (first, last) if place is not None]
    found = _walked(graph, names[0], names[1] if last else None, up=up, down=down, how=how)
    whole = not first.column and (last is None or not last.column)
    return by_tables(found, graph.tables) if whole else found


def _walked(graph: ColumnGraph, name: str, to: str | None, *, up: bool, down: bool, how: Collection[str]) -> Lineage:
    if to is not None:
        return graph.between(name, to, how)
    return graph.around(name, how) if up and down else graph.up(name, how) if up else graph.down(name, how)


def _number(lake: Lake, place: Place) -> int:
    ref = TableRef.parse(f"{place.table}@{place.point}") if not place.table.startswith(("models.", "tuning.")) else None
    if ref is not None and ref.version is None:
        return lake.resolve(ref, None)
    if not place.point.isdigit():
        raise TableError("LL-TABLE-002", f"'{place.point}' is no version of {place.table}", fix="give a number")
    return int(place.point)
