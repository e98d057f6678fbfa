"""``lakeloom plan``."""

from __future__ import annotations

from lakeloom.cli.options import Branch, Conf, Debug, Env, FullRefresh, Json, Sample, Select
from lakeloom.cli.shell import shell


def plan(
    select: Select = None,
    full_refresh: FullRefresh = False,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what would run and why, what it reads and writes; nothing is started or written.

    JSON: {"steps": [{"name", "kind", "action": "run", "skip" or "depends", "reasons": [],
    "reads": {table: version or null}, "writes": []}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        steps = out.open().plan(*(select or ()), full_refresh=full_refresh)
        if as_json:
            out.document({"steps": [step.as_dict() for step in steps]})
            return
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
