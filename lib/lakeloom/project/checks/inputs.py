"""The rules of `check` on what a table is made of: inputs, one transform, one writer, no cycle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lakeloom.project.checks.problem import Problem, Schemas, hint, known_tables
from lakeloom.project.graph import cycle, steps
from lakeloom.project.spec import Project
from lakeloom.tables.spec import TableSpec


def inputs_exist(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """Every table under ``from`` is a source's or a declared one."""
    known = known_tables(project)
    for name, table in project.tables.items():
        for source in table.from_:
            if source not in known:
                path = ("tables", name, "from", source)
                yield Problem(path, "LL-CONF-010", f"{source} is not declared", hint(source, known) or "declare it")


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
                          hint(column, table.columns))  # fmt: skip


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
