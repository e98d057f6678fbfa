"""The rules of `check` on the SQL of transforms."""

from __future__ import annotations

from collections.abc import Iterator

from lakeloom.core.errors import LakeloomError
from lakeloom.project.checks.problem import Problem, Schemas, columns_read, hint, known_tables
from lakeloom.project.spec import Project
from lakeloom.tables.sql import parse, tables_of, unknown_columns, unrepeatable


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
                hint(table, declared | known_tables(project))
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
                hint(column, near),
            )
