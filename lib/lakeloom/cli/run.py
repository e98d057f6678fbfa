"""``lakeloom run [SELECT]``."""

from __future__ import annotations

from lakeloom.cli.options import Conf, Debug, Env, FullRefresh, Json, Select
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import shell
from lakeloom.cli.summary import ended


def run(
    select: Select = None,
    full_refresh: FullRefresh = False,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run what changed, or a selection; a second run does only what is new.

    Exit code 0 done (quarantined rows too), 1 a step failed, 2 bad config, 130 Ctrl-C. JSON: {"run_id",
    "status": "done", "failed" or "stopped", "steps": [{"name", "kind", "status": "done", "skipped",
    "failed" or "blocked", "reason", "rows_in", "rows_out", "quarantined", "version", "seconds"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        lake = out.open()
        with progress() as listener:
            result = lake.run(*(select or ()), full_refresh=full_refresh, listener=listener)
        ended(out, lake, result)
