"""``lakeloom recover``."""

from __future__ import annotations

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def recover(
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Rebuild the platform's own tables, but refs and audit, from the runs' logs and the intents.

    Of a run whose log is gone, what it executed is told by the intents, and what it skipped is not. JSON: {"tables":
    {table: rows}, "by_log": runs that were told by their log, "by_intents": runs told by intents alone}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        done = out.open().recover()
        if as_json:
            out.document(done.as_dict())
            return
        out.table(("table", "rows"), done.tables.items(), right=("rows",))
        out.say(f"{done.by_log} runs by their logs, {done.by_intents} by intents alone")
