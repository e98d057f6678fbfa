"""``lakeloom retry``."""

from __future__ import annotations

from lakeloom.cli.options import AllowBreaking, Conf, Debug, Env, Json, Sample
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import shell
from lakeloom.cli.summary import ended, ended_backfill


def retry(
    allow_breaking: AllowBreaking = False,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run what the last run did not bring to an end (failed, blocked, not reached), and what depends on it.

    A run in a window of time is run in the same window; a backfill goes on with the first slice not done.
    Output and exit codes as of 'lakeloom run'.
    """
    from lakeloom.flow.backfill import BackfillResult

    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        lake = out.open()
        with progress() as listener:
            result = lake.retry(listener=listener, allow_breaking=allow_breaking)
        if isinstance(result, BackfillResult):
            ended_backfill(out, lake, result)
        else:
            ended(out, lake, result)
