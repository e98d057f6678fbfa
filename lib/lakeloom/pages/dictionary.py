"""The data dictionary: an index of all tables with a search, and a page for each table.

Pages of their own, so that 300 tables of 500 columns open at once: the index holds names and descriptions to
search in, a table's page holds its columns. Each is self-contained as a report is, and the links between them
are relative, so that the folder can be moved, mailed or served.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lakeloom.pages import formats, strips, svg
from lakeloom.pages.document import asset, cleaned, digest, template
from lakeloom.pages.figure import Table
from lakeloom.pages.model import TrackFact

# What tells a folder of ours from another.
GENERATOR = "lakeloom dictionary"
_MANY = 12


@dataclass(frozen=True)
class ColumnEntry:
    """One column of a table.

    `low`, `high` are texts already, None where they are not known or not to be shown; `guarded` says that
    values are not shown. `rules` are (name, outcome of the last execution or empty).
    """

    name: str
    type: str
    nullable: bool | None = None
    key: bool = False
    unit: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    guarded: bool = False
    null_share: float | None = None
    distinct: int | None = None
    low: str | None = None
    high: str | None = None
    rules: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TableEntry:
    """One table: what its contract says, what it holds, and where it stands among the others.

    `inputs` and `readers` are (name, how). `facts` are (label, text) lines in the order to show them.
    `profile_note` says where the figures come from. `snippets` are (title, code).
    """

    name: str
    layer: str
    description: str = ""
    owner: str = ""
    rows: int | None = None
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[ColumnEntry, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    readers: tuple[tuple[str, str], ...] = ()
    tracks: tuple[TrackFact, ...] = ()
    profile_note: str = ""
    snippets: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        """The page's name beside the other tables' pages."""
        return f"{self.name}.html"


@dataclass(frozen=True)
class Dictionary:
    """All tables of a project; `made` is a time in UTC as text."""

    project: str
    made: str
    tables: tuple[TableEntry, ...] = ()


def render(dictionary: Dictionary) -> dict[str, str]:
    """Write the dictionary as HTML: relative path → document."""
    clean: Dictionary = cleaned(dictionary)
    style, script = asset("report.css", "dictionary.css"), asset("report.js", "dictionary.js")
    common = {
        "dictionary": clean, "style": style, "script": script, "digest": digest(script), "generator": GENERATOR,
        "formats": formats, "keys": strips.KEYS,
    }  # fmt: skip
    layers = list(dict.fromkeys(table.layer for table in clean.tables))
    known = {table.name for table in clean.tables}
    index = template("dictionary.html.j2")
    pages = {"index.html": index.render(**common, layers=layers, columns=sum(len(t.columns) for t in clean.tables))}
    page = template("dictionary_table.html.j2")
    for table in clean.tables:
        tracks = strips.tracks(table.tracks, of_one=True)
        listed = columns(table.columns)
        pages[f"tables/{table.file}"] = page.render(
            **common, table=table, columns=listed, tracks=tracks, known=known, many=len(table.columns) > _MANY
        )
    return pages


def columns(entries: Sequence[ColumnEntry]) -> Table | None:
    """List a table's columns; parts that no column has are left out."""
    if not entries:
        return None
    shown = (
        ("Column", lambda each: _name(each), True),
        ("Type", lambda each: svg.tag("code", *_breakable(each.type)), True),
        ("Description", lambda each: _described(each), any(_said(each) for each in entries)),
        ("NULL", lambda each: _nulls(each), True),
        ("Distinct", lambda each: formats.count(each.distinct), any(each.distinct is not None for each in entries)),
        ("Least", lambda each: _value(each, each.low), any(each.low is not None for each in entries)),
        ("Greatest", lambda each: _value(each, each.high), any(each.high is not None for each in entries)),
        ("Rules", lambda each: _rules(each), any(each.rules for each in entries)),
    )
    kept = [(title, write) for title, write, there in shown if there]
    rows = tuple(tuple(write(each) for _, write in kept) for each in entries)
    numeric = frozenset(at for at, (title, _) in enumerate(kept) if title in ("NULL", "Distinct", "Least", "Greatest"))
    return Table(tuple(title for title, _ in kept), rows, numeric, "Columns")


def _name(each: ColumnEntry) -> Markup:
    key = svg.tag("span", "key", class_="tag key") if each.key else None
    return svg.tag("span", *_breakable(each.name), key, id=f"c-{each.name}", class_="column-name")


def _breakable(text: str) -> list[object]:
    """Return a long name in parts, with places between them where a line may end."""
    parts = re.findall(r"[^_,:<>.]+[_,:<>.]*|[_,:<>.]+", text)
    return [piece for part in parts for piece in (part, Markup("<wbr>"))][:-1]


def _said(each: ColumnEntry) -> bool:
    return bool(each.description or each.unit or each.tags)


def _described(each: ColumnEntry) -> Markup:
    unit = svg.tag("span", f"in {each.unit}", class_="unit") if each.unit else None
    tags = [svg.tag("span", tag, class_="tag") for tag in each.tags]
    parts = [part for part in (each.description or None, unit, *tags) if part]
    return svg.tag("span", *[piece for part in parts for piece in (part, " ")], class_="described")


def _nulls(each: ColumnEntry) -> str:
    if each.nullable is False:
        return "never"
    return formats.share(each.null_share)


def _value(each: ColumnEntry, value: str | None) -> str | Markup:
    if each.guarded:
        return svg.tag("span", "not shown", class_="hidden-value")
    return value if value is not None else formats.UNKNOWN


def _rules(each: ColumnEntry) -> Markup:
    parts = []
    for name, last in each.rules:
        mark = {"passed": "✓", "warned": "!", "quarantined": "→", "failed": "✕"}.get(last, "·")
        style = {"passed": "good", "failed": "bad", "": "idle"}.get(last, "warn")
        words = last or "not judged yet"
        sign = svg.tag("span", mark, class_=f"status {style}", title=words, aria_label=words, role="img")
        parts.append(svg.tag("span", sign, f" {name}", class_="rule"))
    return svg.tag("span", *parts, class_="rules")
