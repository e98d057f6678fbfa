"""`suggest`: a table is profiled, and a contract and rules are proposed with their evidence.

Of a bronze table the proposal is a new table that is made of it; of any other it is the table's own entry
with what it lacks. What is declared already stays as it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lakeloom.core.names import TableName
from lakeloom.quality.forms import FORMS
from lakeloom.quality.profile import ColumnProfile, TableProfile
from lakeloom.quality.proposals import Proposal, form_of, proposals
from lakeloom.store.intents import Intents

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lakeloom.api.reading import Records
    from lakeloom.project.spec import Project

# So many other tables' keys are looked into; so many executions back.
_LOOKED_UP, _EXECUTIONS = 12, 20
_KEY_TYPES = ("bigint", "int", "smallint", "string", "date")


@dataclass(frozen=True)
class Suggestion:
    """What `suggest` found.

    Attributes
    ----------
    table, version : str, int
        What was profiled.
    target : str
        The table that the entry is of.
    profile : TableProfile
        Personal columns' values are left out of its `as_dict`.
    proposals : tuple of Proposal
    entry : dict
        The table's entry for ``tables.yml``; proposals of low confidence are not in it.
    text : str
        The entry as YAML, with the evidence as comments.
    """

    table: str
    version: int
    target: str
    profile: TableProfile
    proposals: tuple[Proposal, ...]
    entry: dict[str, Any]
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return the document of ``suggest --json``."""
        return {
            "table": self.table, "version": self.version, "target": self.target, "rows": self.profile.rows,
            "proposals": [each.as_dict() for each in self.proposals], "yaml": self.text,
            "profile": self.profile.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True)
class Known:
    """The project as it can be read, and the last good version of each table."""

    project: Project
    good: Mapping[str, int]


def suggest(records: Records, known: Known, table: str, version: int | str | None = None) -> Suggestion:
    """Profile a table by Spark and return what to declare for it; its profile is recorded for the dictionary.

    Raises
    ------
    TableError
        LL-TABLE-001, LL-TABLE-002 for a malformed name or version.
    StoreError
        LL-STORE-001 where there is no such table, LL-STORE-002 no such version.
    """
    from lakeloom.api import profiles
    from lakeloom.session.spark import step_session
    from lakeloom.tables import profiling

    found = records.table(table, version)
    name, raw = str(found.name), found.name.layer == "bronze"
    declared = (records.raw.document.data.get("tables") or {}).get(name)
    spec = known.project.tables.get(name)
    tags = {column: each.tags for column, each in spec.columns.items()} if spec else {}
    with step_session(records.spark()) as session:
        frame, profile = profile_of(
            records.lake.frame(session, found.name, found.version), name, found.version, tags, raw=raw
        )
        candidates = [(c, to, key, records.lake.frame(session, to, at), named)
                      for c, to, key, at, named in _candidates(records, known, profile, raw)]  # fmt: skip
        profile = replace(profile, references=profiling.looked_up(frame, candidates))
    written, gaps = _executions(records, name)
    profile = replace(profile, written=written, gaps_s=gaps)
    profiles.record(records.root, profile)
    told = tuple(proposals(profile, raw=raw))
    target = _target(found.name, records, known) if raw else name
    entry = made(profile, told, declared, raw=raw)
    return Suggestion(name, found.version, target, profile, told, entry, written_out(target, entry, told))


def profile_of(
    frame: DataFrame, name: str, version: int, tags: Mapping[str, Sequence[str]], *, raw: bool
) -> tuple[DataFrame, TableProfile]:
    """Return a frame as the proposed table begins with it, and its profile without references and executions.

    Parameters
    ----------
    tags : mapping
        Column → the tags of its contract.
    raw : bool
        Whether it is bronze: the proposed table trims its texts.
    """
    from lakeloom.cleansing.apply import clean
    from lakeloom.tables import profiling

    texts = [column for column, kind in frame.dtypes if kind == "string" and not column.startswith("_")]
    if raw and texts:
        names = frame.columns
        frame = clean(frame, [{"trim": {"columns": texts}}]).select(*[_quoted(each) for each in names])
    columns = profiling.profiled(frame, tags)
    unique, repeated = profiling.keys(frame, columns)
    return frame, TableProfile(
        name, version, columns[0].rows if columns else 0, columns, tuple(unique), tuple(repeated)
    )


def _candidates(
    records: Records, known: Known, profile: TableProfile, raw: bool
) -> list[tuple[str, str, str, int, bool]]:
    """Return the look-ups worth their cost: (column, table, its key, its version, whether the name says so)."""
    lineage = records.lineage()
    nodes = {node.id for node in lineage.nodes}
    # A rule on a table that is made of this one would be a circle; of a bronze one a new table is made.
    circle = profile.table in nodes and not raw
    below = {node.id for node in lineage.down(profile.table).nodes} if circle else {profile.table}
    singles = {names[0] for names in profile.unique if len(names) == 1}
    named, alike = [], []
    for to, spec in known.project.tables.items():
        if len(spec.keys) != 1 or to in below or not records.lake.exists(to):
            continue
        (key,) = spec.keys
        version = known.good.get(to)
        there = records.lake.columns(to, version)
        if version is None or there.get(key) not in _KEY_TYPES:
            continue
        for column in profile.columns:
            if column.guarded or column.name in singles or not column.filled or _kind(column, raw) != there[key]:
                continue
            if _says(column.name, to, key):
                named.append((column.name, to, key, version, True))
            elif there[key] == "string" and column.shapes and 3 <= (column.distinct or 0) < column.rows:
                alike.append((column.name, to, key, version, False))
    return [*named, *alike][:_LOOKED_UP]


def _kind(column: ColumnProfile, raw: bool) -> str:
    form = form_of(column) if raw and column.type == "string" else None
    # A text that would be read as a number is looked up as it will be; Spark casts it for the comparison.
    return FORMS[form].type if form else column.type


def _says(column: str, to: str, key: str) -> bool:
    """Return whether a column's name speaks of another table's key."""
    table = to.partition(".")[2].lower()
    single = table.removesuffix("s")
    name = column.lower()
    return name in {single, f"{single}_{key}".lower(), f"{table}_{key}".lower()} or (
        name == key.lower() and name not in ("id", "name", "code", "key")
    )


def _executions(records: Records, table: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the rows that the last executions wrote, and the seconds between them."""
    recent = Intents(records.root).newest(table, _EXECUTIONS)
    done = [(record.intent, record.facts) for record in recent if record.facts]
    rows = tuple(int(facts["rows_out"]) for _, facts in done if facts.get("rows_out") is not None)
    clocks = [datetime.fromisoformat(intent.clock) for intent, _ in done]
    return rows, tuple((later - earlier).total_seconds() for earlier, later in pairwise(clocks))


def _target(name: TableName, records: Records, known: Known) -> str:
    """Return a free name for the table that is made of a bronze one."""
    for tail in ("", "_suggested", *(f"_suggested_{number}" for number in range(2, 100))):
        target = f"silver.{name.name}{tail}"
        if target not in known.project.tables and not records.lake.exists(target):
            return target
    return f"silver.{name.name}_suggested"


def made(
    profile: TableProfile, told: Sequence[Proposal], declared: Mapping[str, Any] | None, *, raw: bool
) -> dict[str, Any]:
    """Return a table's entry with the proposals that are sure enough; what was declared stays."""
    sure = [each for each in told if each.confidence != "low"]
    entry: dict[str, Any] = dict(declared or {})
    if raw:
        verbs = _verbs(profile, sure)
        made_by = {"clean": verbs} if verbs else {"sql": f"select * from {profile.table}"}  # noqa: S608 - a plain name
        entry = {"from": {profile.table: "new"}} | made_by
    keys = next((each.config["keys"] for each in sure if "keys" in each.config), None)
    if keys and not entry.get("keys"):
        entry["keys"] = keys
    if raw:
        entry["write"] = {"mode": "merge", "sequence_by": "_position"} if keys else {"mode": "append"}
    entry["columns"] = _columns(profile, sure, entry.get("columns") or {}, raw=raw)
    for word in ("event_time", "freshness"):
        value = next((each.config[word] for each in sure if word in each.config), None)
        if value and not entry.get(word) and (word == "event_time" or entry.get("event_time")):
            entry[word] = value
    rules = [dict(rule) for rule in entry.get("rules") or ()]
    taken = {_about(rule) for rule in rules}
    rules += [rule for each in sure for rule in each.config.get("rules", ()) if _about(rule) not in taken]
    if rules:
        entry["rules"] = rules
    return entry


def _verbs(profile: TableProfile, sure: Iterable[Proposal]) -> list[dict[str, Any]]:
    verbs: list[dict[str, Any]] = []
    if any(column.type == "string" for column in profile.columns):
        verbs.append({"trim": {"columns": "*"}})
    blank: dict[tuple[str, ...], list[str]] = {}
    for column in profile.columns:
        if column.blanks:
            blank.setdefault(column.blanks, []).append(column.name)
    verbs += [{"nullify": {"columns": names, "values": list(words)}} for words, names in blank.items()]
    return verbs + [verb for each in sure for verb in each.config.get("clean", ())]


def _columns(
    profile: TableProfile, sure: Sequence[Proposal], declared: Mapping[str, Any], *, raw: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in profile.columns:
        before = declared.get(column.name)
        known = {"type": before} if isinstance(before, str) else dict(before or {})
        if declared and not known:  # what a contract leaves out is its author's business
            continue
        fresh: dict[str, Any] = {} if known else {"type": column.type}
        for each in sure:
            more = dict(each.config.get("columns", {}).get(column.name, {}))
            if not raw or known:  # a type is changed by a verb, which is proposed for new tables only
                more.pop("type", None)
            fresh |= more
        found[column.name] = known | {word: value for word, value in fresh.items() if word not in known}
    return found | {name: value for name, value in declared.items() if name not in found}


def _about(rule: Mapping[str, Any]) -> tuple[str, str]:
    from lakeloom.quality.expectations import BY_NAME

    name = str(rule.get("expect") or rule.get("sql") or "")
    known = BY_NAME.get(name)
    return str(rule.get("column") or rule.get("columns") or ""), known.name if known else name


def written_out(target: str, entry: Mapping[str, Any], told: Sequence[Proposal]) -> str:
    """Return an entry as YAML: a line for each column, verb and rule, with its evidence behind it."""
    lines = ["tables:", f"  {target}:"]
    for word, value in entry.items():
        if word == "columns" and value:
            lines.append("    columns:")
            lines += [f"      {flow(name)}: {flow(each)}{_why(told, 'columns', name)}" for name, each in value.items()]
        elif word in ("rules", "clean") and value:
            lines.append(f"    {word}:")
            lines += [f"      - {flow(each)}{_why(told, word, each)}" for each in value]
        elif isinstance(value, str) and "\n" in value:
            lines += [f"    {word}: |", *(f"      {line}".rstrip() for line in value.splitlines())]
        else:
            lines.append(f"    {word}: {flow(value)}{_why(told, word, value)}")
    return "\n".join(lines) + "\n"


def _why(told: Sequence[Proposal], word: str, value: Any) -> str:
    evidence = [each.evidence for each in told if each.confidence != "low" and _speaks_of(each.config, word, value)]
    return f"  # {'; '.join(evidence)}" if evidence else ""


def _speaks_of(config: Mapping[str, Any], word: str, value: Any) -> bool:
    there = config.get(word)
    if there is None:
        return False
    if word == "columns":
        # The type's evidence stands behind its verb.
        return "clean" not in config and value in there
    return value in there if word in ("rules", "clean") else bool(there == value)


def flow(value: Any) -> str:
    """Return a value on one line of YAML."""
    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.width, writer.default_flow_style = 1_000_000, True
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    # In a mapping: of a list's single entry the braces would be left out.
    writer.dump({"k": _plainly(value)}, stream)
    return stream.getvalue().strip().removeprefix("{k: ").removesuffix("}")


def _plainly(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plainly(item) for key, item in value.items()}
    return [_plainly(item) for item in value] if isinstance(value, list | tuple) else value


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def shown(told: Iterable[Proposal]) -> Iterator[tuple[str, str, str, str]]:
    """Return the proposals as lines for people: confidence, columns, what, evidence."""
    for each in told:
        yield each.confidence, ", ".join(each.columns) or "(table)", each.says, each.evidence
