"""The rules of `check` on how a table is written, and on the columns that it is written by."""

from __future__ import annotations

from collections.abc import Iterator

from lakeloom.core.errors import LakeloomError
from lakeloom.project.checks.problem import Problem, Schemas, columns_of, hint
from lakeloom.project.spec import Project
from lakeloom.tables.history import SPAN
from lakeloom.tables.replacing import FIX, LACKS, order_of
from lakeloom.tables.sql import outputs


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
                    hint(column, columns),
                )
