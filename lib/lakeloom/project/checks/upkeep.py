"""What `check` finds in ``upkeep:``: columns that a table has not, and an order beside another one."""

from __future__ import annotations

from collections.abc import Iterator

from lakeloom.project.checks.problem import Problem, Schemas, columns_of, hint
from lakeloom.project.spec import Project
from lakeloom.tables.spec import TableSpec
from lakeloom.tables.upkeep import MEASURED, UpkeepSpec


def upkeep_fits(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """What ``upkeep:`` names are columns of the table, and its order is not another one's."""
    base = project.settings.upkeep
    for word in ("zorder", "statistics"):
        if base is not None and getattr(base, word):
            text = f"{word}: names columns of one table; the project's upkeep holds for all"
            yield Problem(("upkeep", word), "LL-TABLE-010", text, "write it beside the table")
    for name, table in project.tables.items():
        if table.upkeep is not None:
            yield from _fits(("tables", name, "upkeep"), name, table.upkeep, columns_of(project, name, schemas))
            yield from _orders(name, table, table.upkeep)
    for name, source in project.sources.items():
        if source.upkeep is not None:
            bronze = f"bronze.{name}"
            yield from _fits(("sources", name, "upkeep"), bronze, source.upkeep, columns_of(project, bronze, schemas))


def _fits(path: tuple[str, ...], table: str, spec: UpkeepSpec, columns: set[str] | None) -> Iterator[Problem]:
    for word in ("zorder", "statistics"):
        for column in getattr(spec, word) if columns is not None else ():
            if column not in columns:  # type: ignore[operator]  # it is not None here
                text = f"column '{column}' is not in {table}"
                yield Problem((*path, word), "LL-TABLE-003", text, hint(column, columns or ()))


def _orders(name: str, table: TableSpec, spec: UpkeepSpec) -> Iterator[Problem]:
    path = ("tables", name, "upkeep", "zorder")
    if spec.zorder and table.write.cluster_by:
        yield Problem(path, "LL-TABLE-010", "a clustered table is put in order by cluster_by", "remove zorder:")
    for column in spec.zorder:
        if column in table.write.partition_by:
            text = f"'{column}' is a column of partition_by: its files are apart already"
            yield Problem(path, "LL-TABLE-010", text, f"remove '{column}'")
    for word in ("zorder", "statistics"):
        for column in getattr(spec, word):
            kind = table.columns[column].type.lower() if column in table.columns else "string"
            if not kind.startswith((*MEASURED, "long", "integer", "short", "byte", "varchar", "char")):
                text = f"'{column}' is {kind}: Delta keeps no least and greatest values of it"
                yield Problem(("tables", name, "upkeep", word), "LL-TABLE-010", text, f"remove '{column}'")
