"""``lakeloom plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.cli.options import Branch, Conf, Debug, Env, ExitCode, FullRefresh, Json, Sample, Select
from lakeloom.cli.radius import leave, show
from lakeloom.cli.shell import Shell, shell

if TYPE_CHECKING:
    from lakeloom.flow.planning import Plan


def plan(
    select: Select = None,
    full_refresh: FullRefresh = False,
    exit_code: ExitCode = False,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what would run and why, what it reads and writes, and how far what was changed reaches.

    Nothing is started or written. With --exit-code: 0 nothing would run, 3 something would or may, 4 what is
    published would break. JSON: {"steps": [{"name", "kind", "action": "run", "skip" or "depends", "reasons": [],
    "reads": {table: version or null}, "writes": []}], "radius": {"changes": [{"step", "words", "columns": {column:
    "changed", "added", "dropped" or "maybe"}, "rows": [words], "rebuild", "why"}], "removed": [{"step", "version",
    "owner", "reached": []}], "reached": [{"id", "kind", "how": [], "sure", "of": [], "owner"}], "reports": [{"run",
    "file", "of"}], "rebuild": [{"step", "seconds", "bytes_read", "bytes_written", "rows", "scratch"}], "seconds",
    "bytes_read", "bytes_written", "breaking": [{"table", "column", "what", "owner", "reached": []}]}}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        steps = out.open().plan(*(select or ()), full_refresh=full_refresh)
        if as_json:
            out.document({"steps": [step.as_dict() for step in steps], "radius": steps.radius.as_dict()})
        else:
            _show(out, steps)
        if exit_code:
            leave(changes=not steps.idle, breaks=bool(steps.radius.breaking))


def _show(out: Shell, steps: Plan) -> None:
    rows = [
        (
            step.action,
            step.step.name,
            step.step.kind,
            ", ".join(table if at is None else f"{table}@{at}" for table, at in step.reads.items()),
            "; ".join(step.reasons),
        )
        for step in steps
    ]
    out.table(("action", "step", "kind", "reads", "why"), rows)
    runs = sum(step.action == "run" for step in steps)
    out.say(f"{runs} of {len(steps)} steps to run")
    show(out, steps.radius)
