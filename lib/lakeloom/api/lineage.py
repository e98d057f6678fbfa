"""What comes from what: of tables by the project's steps, of columns and versions by what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.config.load import Raw
from lakeloom.core.errors import TableError
from lakeloom.core.names import TableRef
from lakeloom.lineage.assembled import at_version, newest
from lakeloom.lineage.columns import ColumnGraph, Place, by_tables
from lakeloom.lineage.graph import Lineage, build, kind_of
from lakeloom.lineage.made import Executions, Kept
from lakeloom.store.intents import replace
from lakeloom.store.lake import Lake

if TYPE_CHECKING:
    from lakeloom.core.steps import Step
    from lakeloom.pages.columns import ColumnPage


def lineage(
    lake: Lake,
    steps: Callable[[], Sequence[Step]],
    raw: Raw,
    name: str | None,
    *,
    up: bool,
    down: bool,
    to: str | None = None,
    how: Collection[str] = (),
) -> Lineage:
    """Return a lineage; see `lakeloom.api.reading.Records.lineage`.

    Parameters
    ----------
    steps : callable
        Makes the project's steps: of columns they are not asked for, since typing a large config takes a while.
    raw : Raw
        The config, whose names say which steps count.
    """
    if name is None:
        return build(steps())
    first, last = Place.parse(name), Place.parse(to) if to is not None else None
    if not (first.point or first.column or (last and (last.point or last.column))):
        graph = build(steps())
        if last is not None:
            return graph.between(first.table, last.table)
        return graph.around(name) if up and down else graph.up(name) if up else graph.down(name)
    executions, kept = Executions(lake.root, declared(raw)), Kept(lake.root)
    if first.point or (last and last.point):
        return _at_version(lake, executions, kept, first, last, up=up, down=down, how=how)
    return _walked(newest(executions, kept), name, to, up=up, down=down, how=how)


def declared(raw: Raw) -> set[str]:
    """Return the names of the steps that a config declares, sound or not, that can make something of columns."""

    def under(section: str) -> dict[str, Any]:
        found = raw.document.data.get(section)
        return found if isinstance(found, dict) else {}

    models = under("models")
    names = {*under("tables"), *(f"bronze.{name}" for name in under("sources"))}
    names |= {f"{section}.{name}" for section in ("features", "datasets", "models") for name in under(section)}
    names |= {f"tuning.{name}" for name in models}
    return names | {str(each["scores"]) for each in models.values() if isinstance(each, dict) and each.get("scores")}


def write_page(lake: Lake, raw: Raw, file: Path) -> Path:
    """Write the lineage of all columns at their newest versions as one HTML file; raises LL-STORE-004."""
    from lakeloom.pages.columns import render

    executions, kept = Executions(lake.root, declared(raw)), Kept(lake.root)
    replace(file.resolve(), render(_page(newest(executions, kept), raw.project)))
    return file.resolve()


def _page(graph: ColumnGraph, project: str) -> ColumnPage:
    from lakeloom.pages.columns import ColumnPage, Link, TableNode

    columns: dict[str, dict[str, None]] = {table: {} for table in sorted(graph.tables)}
    links = []
    for edge in graph.edges:
        start, end = Place.parse(edge.source), Place.parse(edge.target)
        for place in (start, end):
            found = columns.setdefault(place.table, {})
            if place.column:
                found[place.column] = None
        links.append(Link(start.table, start.column, end.table, end.column, edge.how, edge.expression))
    tables = tuple(
        TableNode(table, kind_of(table), tuple(found), graph.notes.get(table, "")) for table, found in columns.items()
    )
    return ColumnPage(project, datetime.now(UTC).isoformat(" ", "minutes")[:16] + " UTC", tables, tuple(links))


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
