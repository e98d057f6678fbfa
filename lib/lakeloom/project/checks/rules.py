"""The rules of `check` on the rules of tables: their names, and what they refer to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lakeloom.project.checks.problem import Problem, Schemas, columns_of, declared_in, hint, known_tables
from lakeloom.project.spec import Project
from lakeloom.quality.spec import RuleSpec


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
                yield Problem(path, "LL-CONF-010", f"{rule.to} is not declared", hint(rule.to, known) or "declare it")
            else:
                columns = columns_of(project, rule.to, schemas)
                there = (*rule.by.values(), *rule.sums.values()) if rule.scope == "table" else rule.keys_there
                for column in there if columns is not None else ():
                    if column not in columns:  # type: ignore[operator]  # it is not None here
                        fix = hint(column, columns or ())
                        yield Problem(path, "LL-TABLE-003", f"column '{column}' is not in {rule.to}", fix)


def _asks_a_database(project: Project, rule: RuleSpec, path: tuple[str, ...]) -> Iterator[Problem]:
    source = str(rule.to).partition(".")[2]
    declared = declared_in(project, "sources", project.sources)
    if source not in declared:
        yield Problem(path, "LL-CONF-010", f"source '{source}' is not declared", hint(source, declared) or "declare it")
    elif rule.scope == "row":
        yield Problem(path, "LL-RULE-003", "rows can't refer to a source", f"land it and write bronze.{source}")
    elif source in project.sources and project.sources[source].kind != "jdbc":
        kind = project.sources[source].kind
        yield Problem(path, "LL-RULE-003", f"source '{source}' is {kind}: no database to ask", "name a jdbc source")
