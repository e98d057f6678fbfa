"""Column lineage as one HTML file: tables from left to right, of each only the columns that the chosen one reaches.

A graph of hundreds of columns is no drawing that anybody can read. So the page shows tables, and draws lines only for
the column that was chosen by a search or a click: where it comes from, and where it goes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lakeloom.pages.document import asset, cleaned, digest, template


@dataclass(frozen=True)
class TableNode:
    """Something that has columns; `note` says what is worth knowing of it, such as that its step told nothing."""

    id: str
    kind: str
    columns: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Link:
    """A flow from a column of one table to a column of another; the columns are empty where rows are meant."""

    source: str
    column: str
    target: str
    to: str
    how: str
    expression: str = ""


@dataclass(frozen=True)
class ColumnPage:
    """What the page shows."""

    project: str
    made: str
    tables: tuple[TableNode, ...]
    links: tuple[Link, ...]


def render(page: ColumnPage) -> str:
    """Return the HTML document."""
    clean: ColumnPage = cleaned(page)
    levels = _levels([table.id for table in clean.tables], clean.links)
    place = {table.id: index for index, table in enumerate(clean.tables)}
    tables = [
        {"id": table.id, "kind": table.kind, "note": table.note, "columns": table.columns, "level": levels[table.id]}
        for table in clean.tables
    ]
    links = [
        [place[link.source], link.column, place[link.target], link.to, link.how, link.expression]
        for link in clean.links
        if link.source in place and link.target in place
    ]
    # Inside a script element only "<" could end it.
    data = json.dumps({"tables": tables, "links": links}, ensure_ascii=False).replace("<", "\\u003c")
    script = asset("columns.js")
    return template("columns.html.j2").render(
        page=clean, style=asset("report.css", "columns.css"), script=script, digest=digest(script),
        data=Markup(data), columns=sum(len(table.columns) for table in clean.tables),  # noqa: S704 - escaped above
    )  # fmt: skip


def _levels(tables: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """Return each table's place from left to right: behind all that it is made of."""
    above: dict[str, set[str]] = {table: set() for table in tables}
    for link in links:
        if link.source != link.target and link.target in above and link.source in above:
            above[link.target].add(link.source)
    levels = dict.fromkeys(tables, 0)
    for _ in tables:  # no way is longer; what goes round in a circle stops here
        moved = False
        for table in tables:
            wanted = max((levels[other] + 1 for other in above[table]), default=0)
            if levels[table] < wanted < len(tables):
                levels[table], moved = wanted, True
        if not moved:
            break
    return levels
