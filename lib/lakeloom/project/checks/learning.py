"""The rules of `check` on feature views, datasets and models: what they refer to is there."""

from __future__ import annotations

from collections.abc import Iterator

from lakeloom.project.checks.problem import Problem, Schemas, columns_of, declared_in, hint, known_tables
from lakeloom.project.spec import Project


def views_read_tables(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A feature view reads a declared table and columns that it has."""
    known = known_tables(project)
    for name, view in project.features.items():
        path = ("features", name)
        if view.source not in known:
            yield Problem((*path, "from"), "LL-CONF-010", f"{view.source} is not declared", hint(view.source, known))
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
                    hint(column, columns),
                )


def datasets_refer(project: Project, schemas: Schemas) -> Iterator[Problem]:
    """A dataset's label table, views and columns exist."""
    known, views = known_tables(project), declared_in(project, "features", project.features)
    for name, dataset in project.datasets.items():
        path = ("datasets", name)
        table = dataset.labels.source
        if table not in known:
            yield Problem((*path, "labels", "from"), "LL-CONF-010", f"{table} is not declared", hint(table, known))
            continue
        columns = columns_of(project, table, schemas)
        for index, use in enumerate(dataset.features):
            here = (*path, "features", str(index))
            if use.view is not None and use.view not in views:
                yield Problem(here, "LL-CONF-010", f"feature view '{use.view}' is not declared", hint(use.view, views))
            elif use.view is not None and use.view in project.features:
                try:
                    use.outputs(project.features[use.view])
                except KeyError as cause:
                    wanted = str(cause.args[0])
                    given = [output.suffix for output in project.features[use.view].outputs()]
                    yield Problem(
                        here, "LL-FEATURE-002", f"view '{use.view}' does not give '{wanted}'", hint(wanted, given)
                    )
            elif use.view is None and columns is not None and use.column not in columns:
                yield Problem(
                    here,
                    "LL-TABLE-003",
                    f"column '{use.column}' is not in {table}",
                    hint(str(use.column), columns),
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
    datasets = declared_in(project, "datasets", project.datasets)
    for name, model in project.models.items():
        path = ("models", name)
        if model.dataset not in datasets:
            fix = hint(model.dataset, datasets)
            yield Problem((*path, "dataset"), "LL-CONF-010", f"dataset '{model.dataset}' is not declared", fix)
        if model.scores and not model.scores.startswith("gold."):
            yield Problem((*path, "scores"), "LL-TABLE-001", f"{model.scores} is no gold table", "write gold.<name>")
