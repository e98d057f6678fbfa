"""``lakeloom runs``."""

from __future__ import annotations

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def runs(conf: Conf = None, env: Env = None, as_json: Json = False, debug: Debug = False) -> None:
    """List the runs, newest first; a training or tuning has an entry of its own.

    JSON: [{"run_id", "kind", "name", "started", "status", "mlflow_run", "reads": {table: version}}].
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        found = out.open().runs()
        if as_json:
            out.document(found)
        elif found:
            names = ("run_id", "kind", "name", "started", "status", "mlflow_run")
            out.table(names, [[str(entry[name] or "")[:32] for name in names] for entry in found])
        else:
            out.say("no runs yet; 'lakeloom run' makes one")
