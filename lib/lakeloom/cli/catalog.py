"""``lakeloom catalog``."""

from __future__ import annotations

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def catalog(conf: Conf = None, env: Env = None, as_json: Json = False, debug: Debug = False) -> None:
    """Register all tables in the project's catalog, so that any SQL on it sees them by their names.

    A run registers what it publishes; this is for tables from before the catalog was configured.
    JSON: {"registered": [table]}, those that were not there before.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        registered = out.open().register()
        if as_json:
            out.document({"registered": registered})
            return
        for table in registered:
            out.say(table)
        out.say(f"{len(registered)} registered")
