"""``lakeloom retry``."""

from __future__ import annotations

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import shell
from lakeloom.cli.summary import ended


def retry(conf: Conf = None, env: Env = None, as_json: Json = False, debug: Debug = False) -> None:
    """Run what the last run did not bring to an end (failed, blocked, not reached), and what depends on it.

    Output and exit codes as of 'lakeloom run'.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        lake = out.open()
        with progress() as listener:
            result = lake.retry(listener=listener)
        ended(out, lake, result)
