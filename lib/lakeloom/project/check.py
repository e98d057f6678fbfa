"""Check: every mistake in the config, all at once, without Spark."""

from __future__ import annotations

from lakeloom.config.load import Raw
from lakeloom.core.errors import LakeloomError
from lakeloom.core.findings import Finding, FindingsError
from lakeloom.project.checks import (
    channels,
    exports,
    inputs,
    learning,
    queries,
    rules,
    sampling,
    sensing,
    stores,
    streams,
    upkeep,
    writing,
)
from lakeloom.project.checks.problem import Rule, Schemas
from lakeloom.project.cleansing import verbs_fit
from lakeloom.project.extras import extras_are_installed
from lakeloom.project.spec import Project
from lakeloom.project.typing import Reader

RULES: tuple[Rule, ...] = (
    inputs.inputs_exist,
    inputs.new_only_from_bronze,
    inputs.one_transform,
    queries.sql_parses,
    queries.sql_reads_its_inputs,
    queries.sql_is_repeatable,
    queries.sql_columns_exist,
    verbs_fit,
    writing.merge_has_keys,
    writing.replacing_rows_have_an_order,
    writing.spans_are_free,
    writing.columns_are_declared,
    rules.rule_names_differ,
    rules.rules_look_at_what_is_there,
    learning.views_read_tables,
    learning.datasets_refer,
    learning.features_have_times,
    learning.models_refer,
    inputs.outputs_differ,
    inputs.no_cycle,
    streams.streams_fit,
    sensing.sensors_fit,
    *channels.RULES,
    sampling.samples_are_sound,
    stores.stores_are_sound,
    upkeep.upkeep_fits,
    *exports.RULES,
)
# What is no mistake of the config, but keeps this machine from running all of it.
ON_THIS_MACHINE: tuple[Rule, ...] = (extras_are_installed,)


def check(raw: Raw, schemas: Schemas | None = None, *, machine: bool = True) -> tuple[Project, list[Finding]]:
    """Return the typed project and all findings, in the order of file and line.

    Parameters
    ----------
    raw : Raw
        The merged, marked document.
    schemas : mapping, optional
        Columns of tables by their last recorded schema; contracts come before them.
    machine : bool
        Whether to look for what is not installed on this machine as well.
    """
    reader = Reader(raw)
    project = reader.project()
    for rule in (*RULES, *(ON_THIS_MACHINE if machine else ())):
        try:
            for problem in rule(project, schemas or {}):
                reader.add(problem.path, problem.code, problem.message, problem.fix)
        except LakeloomError as error:
            reader.add((), error.code, error.message, error.fix)
    return project, sorted(set(reader.findings))


def checked(raw: Raw, schemas: Schemas | None = None) -> Project:
    """Return the typed project; raises FindingsError with all mistakes of the config where there are any.

    What is merely not installed on this machine stops only the steps that need it.
    """
    project, findings = check(raw, schemas, machine=False)
    if findings:
        raise FindingsError(findings)
    return project
