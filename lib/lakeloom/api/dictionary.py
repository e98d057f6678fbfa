"""The data dictionary, collected from contracts, rules, profiles, lineage and the log; no JVM is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.api import profiles
from lakeloom.api.judgements import rules as rules_over_time
from lakeloom.api.reporting import tracks
from lakeloom.core.errors import ExportError, LakeloomError
from lakeloom.core.names import TableName
from lakeloom.pages.dictionary import GENERATOR, ColumnEntry, Dictionary, TableEntry, render
from lakeloom.pages.formats import count, size
from lakeloom.project.personal import guarded
from lakeloom.quality.personal import tag_of
from lakeloom.quality.profile import TableProfile
from lakeloom.store.intents import replace
from lakeloom.tables.statistics import of_log

if TYPE_CHECKING:
    from lakeloom.lineage.graph import Lineage
    from lakeloom.project.spec import Project
    from lakeloom.quality.timeline import RuleOverTime
    from lakeloom.store.lake import Lake
    from lakeloom.tables.spec import TableSpec

# The platform's own tables are no data to describe.
_NOT_LISTED = ("quarantine", "aside", "meta")


@dataclass(frozen=True)
class Written:
    """Where the dictionary was written, and how much is in it."""

    path: Path
    tables: int
    columns: int

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``dictionary --json``."""
        return {"path": str(self.path), "tables": self.tables, "columns": self.columns}


def write(dictionary: Dictionary, folder: Path) -> Written:
    """Write the pages over an older dictionary, or into a new or empty folder.

    Raises
    ------
    ExportError
        LL-EXPORT-003 where the folder holds something else, LL-EXPORT-004 where it can't be written.
    """
    index = folder / "index.html"
    try:
        ours = index.is_file() and f'content="{GENERATOR}"' in index.read_text(encoding="utf-8", errors="replace")
        if folder.exists() and not ours and (not folder.is_dir() or any(folder.iterdir())):
            raise ExportError(
                "LL-EXPORT-003", f"{folder.name} exists already and holds no dictionary; it was left as it is",
                where=str(folder), fix="name another folder with --output",
            )  # fmt: skip
        pages = render(dictionary)
        for name, text in pages.items():
            replace(folder / name, text)
        for file in (folder / "tables").glob("*.html") if ours else ():
            if f"tables/{file.name}" not in pages:  # of a table that has gone
                file.unlink()
    except OSError as cause:
        raise ExportError(
            "LL-EXPORT-004", f"it can't be written ({cause.strerror})", where=str(folder), fix="mend its rights"
        ) from cause
    return Written(index, len(dictionary.tables), sum(len(table.columns) for table in dictionary.tables))


def collect(lake: Lake, project: Project, lineage: Lineage, good: Mapping[str, int], now: datetime) -> Dictionary:
    """Return every declared table and every other that holds data, in the order of the layers."""
    there = [str(name) for name in lake.tables() if name.layer not in _NOT_LISTED]
    names = dict.fromkeys([*there, *project.tables])
    order = {layer: at for at, layer in enumerate(("bronze", "silver", "gold", "features", "datasets"))}
    sorted_names = sorted(names, key=lambda name: (order.get(name.partition(".")[0], 9), name))
    hidden = guarded(project)
    judged: dict[str, list[RuleOverTime]] = {}
    for each in rules_over_time(lake.root):
        judged.setdefault(each.table, []).append(each)
    entries = (_table(lake, project, lineage, good, name, hidden, judged.get(name, [])) for name in sorted_names)
    return Dictionary(project.name, f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC", tuple(entries))


def _table(
    lake: Lake, project: Project, lineage: Lineage, good: Mapping[str, int], name: str, hidden: frozenset[str],
    judged: Sequence[RuleOverTime],
) -> TableEntry:  # fmt: skip
    spec = project.tables.get(name)
    source = project.sources.get(name.partition(".")[2]) if name.startswith("bronze.") else None
    version = good.get(name)
    profile, facts, rows = None, [], None
    if version is not None and lake.exists(name):
        tags = {column: each.tags for column, each in spec.columns.items()} if spec else {}
        try:
            profile = of_log(lake, name, version, tags)
            held = lake.size(name, version)
            rows = held.rows if held.rows >= 0 else None
            facts = [("Version", str(version)), ("Rows", count(rows)), ("Size", size(held.bytes))]
            facts += _updated(lake, name, version)
        except LakeloomError:  # a damaged table is still described by its contract
            profile = None
    kept = profiles.recorded(lake.root, name)
    declared = _declared(spec, source)
    about = spec or source
    return TableEntry(
        name, TableName.parse(name).layer,
        description=about.description or "" if about else "",
        owner=about.owner or "" if about else "",
        rows=rows, facts=(*declared, *facts),
        columns=tuple(_columns(spec, profile, kept, hidden, judged)),
        inputs=tuple((edge.source, edge.how) for edge in lineage.edges if edge.target == name),
        readers=tuple((edge.target, edge.how) for edge in lineage.edges if edge.source == name),
        tracks=tracks(judged), profile_note=_note(version, kept), snippets=_snippets(name),
    )  # fmt: skip


def _declared(spec: TableSpec | None, source: Any) -> list[tuple[str, str]]:
    """Return what the config says of a table, as lines."""
    if spec is None:
        lines = [("Owner", source.owner), ("Source", source.kind), ("Freshness", source.freshness)] if source else []
        return [(label, str(text)) for label, text in lines if text]
    write = spec.write.mode + (f" by {spec.write.sequence_by}" if spec.write.sequence_by else "")
    lines = [
        ("Owner", spec.owner), ("Keys", ", ".join(spec.keys)), ("Written by", write), ("Event time", spec.event_time),
        ("Freshness", f"at most {spec.freshness} old" if spec.freshness else None),
    ]  # fmt: skip
    return [(label, str(text)) for label, text in lines if text]


def _updated(lake: Lake, name: str, version: int) -> list[tuple[str, str]]:
    found = next((entry for entry in lake.history(name) if entry["version"] == version), None)
    return [("Updated", f"{found['timestamp'][:16].replace('T', ' ')} UTC")] if found else []


def _note(version: int | None, kept: Mapping[str, Any] | None) -> str:
    if version is None:
        return "Not built yet: what the contract says."
    if kept is not None:
        made = f"Numbers of distinct values are of version {kept.get('version')}, as 'lakeloom suggest' found them"
        return f"{made}; all else is of version {version}."
    return f"Figures of version {version}, by the log's statistics. 'lakeloom suggest' adds numbers of distinct values."


def _columns(
    spec: TableSpec | None, profile: TableProfile | None, kept: Mapping[str, Any] | None, hidden: frozenset[str],
    judged: Sequence[RuleOverTime],
) -> list[ColumnEntry]:  # fmt: skip
    figures = {column.name: column for column in profile.columns} if profile else {}
    known = {str(column["name"]): column for column in (kept or {}).get("columns", ())}
    contract = spec.columns if spec else {}
    rules = _rules(spec, judged)
    found = []
    for name in dict.fromkeys([*contract, *figures]):
        said, has, noted = contract.get(name), figures.get(name), known.get(name, {})
        secret = name in hidden or tag_of(name) is not None or bool(noted.get("guarded"))
        low, high = (has.low, has.high) if has and not secret else (None, None)
        never = said is not None and (not said.nullable or bool(spec and name in spec.never_null))
        found.append(
            ColumnEntry(
                name, has.type if has else said.type if said else "", nullable=False if never else None,
                key=bool(spec and name in spec.keys), unit=(said.unit or "") if said else "",
                tags=said.tags if said else (), description=(said.description or "") if said else "", guarded=secret,
                null_share=has.null_share if has else None, distinct=noted.get("distinct"),
                low=_text(low), high=_text(high), rules=tuple(rules.get(name, ())),
            )
        )  # fmt: skip
    return found


def _rules(spec: TableSpec | None, judged: Sequence[RuleOverTime]) -> dict[str, list[tuple[str, str]]]:
    """Return column → the rules on it with what came of them last: of the rules that the table has now."""
    last = {each.rule: each.last.outcome for each in judged}
    found: dict[str, list[tuple[str, str]]] = {}
    for rule in spec.judged() if spec else ():
        for column in rule.reads():
            title = rule.title.removeprefix(f"{column}:")
            found.setdefault(column, []).append((title, last.get(rule.title, "")))
    return found


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _snippets(name: str) -> tuple[tuple[str, str], ...]:
    table = f'lakeloom.open().table("{name}")'
    return (
        ("In the terminal", f"lakeloom show {name}"),
        ("Python", f"import lakeloom\n\nframe = {table}.pandas()"),
        ("DuckDB", f"import duckdb, lakeloom\n\nt = {table}.arrow()\nduckdb.sql('from t limit 10')"),
        ("Polars", f"import lakeloom, polars\n\nframe = polars.from_arrow({table}.arrow())"),
        ("Spark", f"import lakeloom\n\nframe = {table}.spark()"),
    )
