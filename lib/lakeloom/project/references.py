"""The rules of `check` that look across entries: each one thing, yielding what is wrong and where.

A rule trusts nothing that another rule checks: what does not parse or does not exist is passed over
where it is not its own business, so that one mistake gives one finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lakeloom.core.errors import LakeloomError
from lakeloom.core.kinds import nearest
from lakeloom.project.graph import cycle, steps
from lakeloom.project.spec import Project
from lakeloom.quality.spec import RuleSpec
from lakeloom.tables.feed import FEED, SEQUENCE
from lakeloom.tables.history import SPAN
from lakeloom.tables.replacing import FIX, LACKS, order_of
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.sql import outputs, parse, tables_of, unknown_columns, unrepeatable

Schemas = Mapping[str, Iterable[str]]


@dataclass(frozen=True)
class Problem:
    """What is wrong at a path of the config."""

    path: tuple[str, ...]
    code: str
    message: str
    fix: str = ""


def known_tables(project: Project) -> set[str]:
    """Return the tables that a transform, view or dataset may read, those with a faulty entry among them."""
    return (
        {f"bronze.{name}" for name in _declared(project, "sources", project.sources)}
        | _declared(project, "tables", project.tables)
        | {model.scores for model in project.models.values() if model.scores}
        | {name for table in project.tables.values() for name in table.beside()}
    )


def _declared(project: Project, section: str, entries: Iterable[str]) -> set[str]:
    """Return the names of a section's entries, also of those that were left out as wrong."""
    start = f"{section}."
    return {*entries, *(name.removeprefix(start) for name in project.faulty if name.startswith(start))}


def columns_of(project: Project, table: str, schemas: Schemas) -> set[str] | None:
    """Return a table's columns by its contract, else by its last recorded schema; None where unknown."""
    spec = project.tables.get(table)
    if spec is not None and spec.columns and spec.evolve == "none":
        more = (*(SPAN if spec.write.mode == "scd2" else ()), *((SEQUENCE,) if spec.changes else ()))
        return {*spec.columns, *more, "_position", "_file", "_source", "_ingested_at", "_run"}
    return set(schemas[table]) if table in schemas else None


def columns_read(project: Project, reader: str, table: str, schemas: Schemas) -> set[str] | None:
    """Return the columns that a table meets in one of its inputs: what is read as changes has more than it stores."""
    columns = columns_of(project, table, schemas)
    told = FEED if project.tables[reader].from_[table] == "changes" else ()
    return None if columns is None else columns.union(told)


def _fix(word: str, words: Iterable[str]) -> str:
    near = nearest(word, sorted(words))
    return f"use '{near}'" if near else ""


def inputs_exist(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Every table under ``from`` is a source's or a declared one."""
    known = known_tables(project)
    for name, table in project.tables.items():
        for source in table.from_:
            if source not in known:
                path = ("tables", name, "from", source)
                yield Problem(path, "LL-CONF-010", f"{source} is not declared", _fix(source, known) or "declare it")


def new_only_from_bronze(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Only bronze has ``new`` rows, since it is append-only; only a table with a change feed tells its ``changes``."""
    for name, table in project.tables.items():
        for source, mode in table.from_.items():
            if mode == "new" and not source.startswith("bronze."):
                path = ("tables", name, "from", source)
                yield Problem(
                    path, "LL-CONF-004", f"{source} is not append-only: it has no 'new' rows", "write 'whole'"
                )
            elif mode == "changes" and not (source in project.tables and project.tables[source].write.change_feed):
                path = ("tables", name, "from", source)
                yield Problem(
                    path, "LL-TABLE-010", f"{source} has no change feed", f"add change_feed: true to {source}'s write:"
                )


def one_transform(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A table has SQL, a function, changes or sources to resolve; none where ``clean`` begins with its input."""
    for name, table in project.tables.items():
        given = sum(each is not None for each in (table.sql, table.function, table.changes, table.resolve))
        if given != 1 and not (given == 0 and table.passes):
            fix = "give one of them"
            if table.clean and not given:
                fix = "give one of them, or a single input whose columns clean: begins with"
            message = "one of sql, function, changes and resolve is wanted"
            yield Problem(("tables", name), "LL-CONF-005", message, fix)
        elif table.changes is not None and (len(table.from_) != 1 or not table.columns or not table.write.by_key):
            message = "changes: wants one input, columns: and a write by key (merge, scd2, scd4)"
            yield Problem(("tables", name, "changes"), "LL-TABLE-010", message, "give them, or take sql:")
        elif table.resolve is not None:
            yield from _resolves(name, table)


def _resolves(name: str, table: TableSpec) -> Iterator[Problem]:
    assert table.resolve is not None
    path = ("tables", name, "resolve")
    if set(table.resolve.sources) != set(table.from_):
        yield Problem(path, "LL-TABLE-010", "resolve's sources are not those under 'from'", "name the same tables")
    if not table.keys or not table.columns or set(table.from_.values()) != {"whole"}:
        message = "resolve: wants keys:, columns: and every input whole"
        yield Problem(path, "LL-TABLE-010", message, "give them")
    for column in table.resolve.columns:
        if column not in table.columns:
            yield Problem((*path, "columns", column), "LL-TABLE-003", f"'{column}' is not in {name}",
                          _fix(column, table.columns))  # fmt: skip


def sql_parses(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Every transform's SQL is one query in Spark's dialect."""
    for name, sql in project.sql.items():
        try:
            parse(sql)
        except LakeloomError as error:
            yield Problem(("tables", name, "sql"), error.code, error.message, error.fix or "mend the SQL")


def _parsed(project: Project) -> Iterator[tuple[str, str]]:
    for name, sql in project.sql.items():
        try:
            parse(sql)
        except LakeloomError:
            continue
        yield name, sql


def sql_reads_its_inputs(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """The SQL reads what ``from`` declares, all of it and nothing else."""
    for name, sql in _parsed(project):
        declared, read = set(project.tables[name].from_), tables_of(sql)
        for table in sorted(read - declared):
            fix = (
                _fix(table, declared | known_tables(project))
                if table not in known_tables(project)
                else "add it to from:"
            )
            yield Problem(
                ("tables", name, "sql"), "LL-CONF-010", f"the SQL reads {table}, which 'from' does not declare", fix
            )
        for table in sorted(declared - read):
            yield Problem(
                ("tables", name, "from", table), "LL-CONF-010", f"the SQL does not read {table}", "remove it from from:"
            )


def sql_is_repeatable(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """No clock and no chance: a replay gives the same rows."""
    for name, sql in _parsed(project):
        for function in sorted(unrepeatable(sql)):
            path = ("tables", name, "sql")
            yield Problem(
                path, "LL-CONF-013", f"{function}() would differ in a replay", "take it from a column of the data"
            )


def sql_columns_exist(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """The SQL takes from tables of known columns only columns that they have."""
    for name, sql in _parsed(project):
        known = {
            table: columns
            for table in project.tables[name].from_
            if (columns := columns_read(project, name, table, schemas)) is not None
        }
        for column, table in sorted(set(unknown_columns(sql, known))):
            near = set().union(*(known.get(part.strip(), set()) for part in table.split(",")))
            shown = ", ".join(sorted(c for c in near if not c.startswith("_"))[:6])
            yield Problem(
                ("tables", name, "sql"),
                "LL-TABLE-003",
                f"column '{column}' is not in {table} ({shown}, …)",
                _fix(column, near),
            )


def merge_has_keys(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A merged table declares its keys."""
    for name, table in project.tables.items():
        if table.write.by_key and not table.keys:
            message = f"mode {table.write.mode} needs keys"
            yield Problem(("tables", name, "write"), "LL-TABLE-006", message, "add keys: [...]")


def replacing_rows_have_an_order(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Of deliveries that come one by one, and replace each other, something says which is the newer."""
    for name, table in project.tables.items():
        if table.write.mode != "replace" or not set(table.from_.values()) & {"new", "changes"}:
            continue
        try:
            made = outputs(project.sql[name]) if name in project.sql else ["*"]
        except LakeloomError:
            continue
        columns = ("_position",) if "*" in made else made
        if order_of(table.write, table.from_, columns) is None:
            told = LACKS.format(by=", ".join(table.write.by))
            yield Problem(("tables", name, "write"), "LL-TABLE-010", told, FIX)


def spans_are_free(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A table of versions has the columns that say when each held; its rows may not bring their own."""
    for name, table in project.tables.items():
        for column in SPAN if table.write.mode in ("scd2", "scd4") else ():
            if column in table.columns:
                path = ("tables", name, "columns", column)
                yield Problem(
                    path, "LL-TABLE-010", f"'{column}' is a column that versions have of their own", "rename it"
                )


def columns_are_declared(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Keys, rules and the sequence name columns that the table has."""
    for name, table in project.tables.items():
        columns = columns_of(project, name, schemas)
        if columns is None:
            continue
        used: list[tuple[tuple[str, ...], str]] = [(("keys",), key) for key in table.keys]
        write = table.write
        used += [
            (("write", word), column) for word in ("sequence_by", "snapshot_by") if (column := getattr(write, word))
        ]
        for word in ("by", "keep", "track", "partition_by", "cluster_by"):
            used += [(("write", word), column) for column in getattr(write, word)]
        for index, rule in enumerate(table.rules):
            used += [(("rules", str(index)), column) for column in rule.reads()]
        for path, column in used:
            if column not in columns:
                shown = ", ".join(sorted(c for c in columns if not c.startswith("_"))[:6])
                yield Problem(
                    ("tables", name, *path),
                    "LL-TABLE-003",
                    f"column '{column}' is not in {name} ({shown}, …)",
                    _fix(column, columns),
                )


def rule_names_differ(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """No two rules of a table share a name: the later would hide the earlier."""
    for name, table in project.tables.items():
        counts = Counter(rule.title for rule in table.rules)
        for title, count in counts.items():
            if count > 1:
                yield Problem(
                    ("tables", name, "rules"), "LL-RULE-003", f"{count} rules are called '{title}'", "give each a name:"
                )


def rules_look_at_what_is_there(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A rule refers to a declared table, or reconciles with a JDBC source, and to columns that it has."""
    known = known_tables(project)
    for name, table in project.tables.items():
        for index, rule in enumerate(table.rules):
            path = ("tables", name, "rules", str(index))
            if rule.to is None:
                continue
            if rule.asks_source:
                yield from _asks_a_database(project, rule, path)
            elif rule.to not in known:
                yield Problem(path, "LL-CONF-010", f"{rule.to} is not declared", _fix(rule.to, known) or "declare it")
            else:
                columns = columns_of(project, rule.to, schemas)
                there = (*rule.by.values(), *rule.sums.values()) if rule.scope == "table" else rule.keys_there
                for column in there if columns is not None else ():
                    if column not in columns:  # type: ignore[operator]  # it is not None here
                        fix = _fix(column, columns or ())
                        yield Problem(path, "LL-TABLE-003", f"column '{column}' is not in {rule.to}", fix)


def _asks_a_database(project: Project, rule: RuleSpec, path: tuple[str, ...]) -> Iterator[Problem]:
    source = str(rule.to).partition(".")[2]
    declared = _declared(project, "sources", project.sources)
    if source not in declared:
        yield Problem(path, "LL-CONF-010", f"source '{source}' is not declared", _fix(source, declared) or "declare it")
    elif rule.scope == "row":
        yield Problem(path, "LL-RULE-003", "rows can't refer to a source", f"land it and write bronze.{source}")
    elif source in project.sources and project.sources[source].kind != "jdbc":
        kind = project.sources[source].kind
        yield Problem(path, "LL-RULE-003", f"source '{source}' is {kind}: no database to ask", "name a jdbc source")


def views_read_tables(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A feature view reads a declared table and columns that it has."""
    known = known_tables(project)
    for name, view in project.features.items():
        path = ("features", name)
        if view.source not in known:
            yield Problem((*path, "from"), "LL-CONF-010", f"{view.source} is not declared", _fix(view.source, known))
            continue
        columns = columns_of(project, view.source, schemas)
        if columns is None:
            continue
        used = [("keys", key) for key in view.keys]
        used += [("columns", column) for column, spec in view.columns.items() if spec.expr is None]
        for part, column in used:
            if column not in columns:
                yield Problem(
                    (*path, part, column),
                    "LL-FEATURE-002",
                    f"'{column}' is not in {view.source}",
                    _fix(column, columns),
                )


def datasets_refer(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A dataset's label table, views and columns exist."""
    known, views = known_tables(project), _declared(project, "features", project.features)
    for name, dataset in project.datasets.items():
        path = ("datasets", name)
        table = dataset.labels.source
        if table not in known:
            yield Problem((*path, "labels", "from"), "LL-CONF-010", f"{table} is not declared", _fix(table, known))
            continue
        columns = columns_of(project, table, schemas)
        for index, use in enumerate(dataset.features):
            here = (*path, "features", str(index))
            if use.view is not None and use.view not in views:
                yield Problem(here, "LL-CONF-010", f"feature view '{use.view}' is not declared", _fix(use.view, views))
            elif use.view is not None and use.view in project.features:
                try:
                    use.outputs(project.features[use.view])
                except KeyError as cause:
                    wanted = str(cause.args[0])
                    given = [output.suffix for output in project.features[use.view].outputs()]
                    yield Problem(
                        here, "LL-FEATURE-002", f"view '{use.view}' does not give '{wanted}'", _fix(wanted, given)
                    )
            elif use.view is None and columns is not None and use.column not in columns:
                yield Problem(
                    here, "LL-TABLE-003", f"column '{use.column}' is not in {table}", _fix(str(use.column), columns)
                )


def features_have_times(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A column of the label table is a feature only where its contract says when it was known."""
    for name, dataset in project.datasets.items():
        table = project.tables.get(dataset.labels.source)
        for index, use in enumerate(dataset.features):
            if use.column is None or table is None:
                continue
            column = table.columns.get(use.column)
            if column is not None and column.available_at is None:
                yield Problem(
                    ("datasets", name, "features", str(index)),
                    "LL-FEATURE-001",
                    f"'{use.column}' has no available_at in {dataset.labels.source}: nothing says when it was known",
                    f"add available_at to {dataset.labels.source}.columns.{use.column}",
                )


def models_refer(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A model's dataset exists, and its scores go to a gold table that nothing else writes."""
    datasets = _declared(project, "datasets", project.datasets)
    for name, model in project.models.items():
        path = ("models", name)
        if model.dataset not in datasets:
            fix = _fix(model.dataset, datasets)
            yield Problem((*path, "dataset"), "LL-CONF-010", f"dataset '{model.dataset}' is not declared", fix)
        if model.scores and not model.scores.startswith("gold."):
            yield Problem((*path, "scores"), "LL-TABLE-001", f"{model.scores} is no gold table", "write gold.<name>")


def outputs_differ(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """No table is written by two steps."""
    beside = [other for table in project.tables.values() for other in table.beside()]
    scores = [model.scores for model in project.models.values() if model.scores]
    written = Counter([*scores, *project.tables, *beside])
    for name, table in project.tables.items():
        for other in table.beside():
            if written[other] > 1:
                yield Problem(("tables", name), "LL-CONF-002", f"{other} is written twice", "name another table")
    for name, model in project.models.items():
        if model.scores and written[model.scores] > 1:
            yield Problem(
                ("models", name, "scores"), "LL-CONF-002", f"{model.scores} is written twice", "name another table"
            )


def no_cycle(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """The graph has no cycle."""
    loop = cycle(steps(project))
    if loop:
        path = ("tables", loop[0]) if loop[0] in project.tables else ()
        yield Problem(path, "LL-CONF-011", f"a cycle: {' → '.join([*loop, loop[0]])}", "break it")
