"""``lakeloom run [SELECT]``."""

from __future__ import annotations

from lakeloom.cli.options import Conf, Debug, Env, From, FullRefresh, Json, Select, To, span
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import shell
from lakeloom.cli.summary import ended


def run(
    select: Select = None,
    full_refresh: FullRefresh = False,
    start: From = None,
    end: To = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run what changed, or a selection; a second run does only what is new.

    With --from or --to, only files last changed in that time are landed, and rows that arrived in it
    are read again, as after a rule or a reference table was mended.

    Exit code 0 done (quarantined rows too), 1 a step failed, 2 bad config, 130 Ctrl-C. JSON: {"run_id",
    "status": "done", "failed" or "stopped", "steps": [{"name", "kind", "status": "done", "skipped",
    "failed" or "blocked", "reason", "rows_in", "rows_out", "quarantined", "version", "seconds"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        lake = out.open()
        with progress() as listener:
            window = span(start, end)
            result = lake.run(*(select or ()), full_refresh=full_refresh, window=window, listener=listener)
        ended(out, lake, result)
