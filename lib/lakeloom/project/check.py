"""Check: every mistake in the config, all at once, without Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lakeloom.config.load import Raw
from lakeloom.core.errors import LakeloomError
from lakeloom.core.findings import Finding, FindingsError
from lakeloom.project import extras, references
from lakeloom.project.channels import RULES as TELLING
from lakeloom.project.cleansing import verbs_fit
from lakeloom.project.sampled import samples_are_sound
from lakeloom.project.spec import Project
from lakeloom.project.streams import streams_fit
from lakeloom.project.typing import Reader
from lakeloom.project.upkept import upkeep_fits

# Each rule looks at one thing: (project, schemas) → (path, code, message, fix).
Schemas = Mapping[str, Iterable[str]]
Rule = Callable[[Project, Schemas], Iterable[references.Problem]]
RULES: tuple[Rule, ...] = (
    references.inputs_exist,
    references.new_only_from_bronze,
    references.one_transform,
    references.sql_parses,
    references.sql_reads_its_inputs,
    references.sql_is_repeatable,
    references.sql_columns_exist,
    verbs_fit,
    references.merge_has_keys,
    references.replacing_rows_have_an_order,
    references.spans_are_free,
    references.columns_are_declared,
    references.rule_names_differ,
    references.rules_look_at_what_is_there,
    references.views_read_tables,
    references.datasets_refer,
    references.features_have_times,
    references.models_refer,
    references.outputs_differ,
    references.no_cycle,
    streams_fit,
    *TELLING,
    samples_are_sound,
    upkeep_fits,
)
# What is no mistake of the config, but keeps this machine from running all of it.
ON_THIS_MACHINE: tuple[Rule, ...] = (extras.extras_are_installed,)


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
