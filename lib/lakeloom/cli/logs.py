"""``lakeloom logs [RUN]``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import cell, shell

_SHORT = (
    "step",
    "name",
    "kind",
    "status",
    "reason",
    "rows_in",
    "rows_out",
    "quarantined",
    "version",
    "seconds",
    "epoch",
)


def logs(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run's id; the newest without.")] = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what happened in a run, oldest first.

    JSON: [{"at", "event", …}], each event with its own facts.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        found = out.open().logs(run)
        if as_json:
            out.document(found)
            return
        for entry in found:
            facts = [f"{name}={cell(entry[name])}" for name in _SHORT if entry.get(name) not in (None, "")]
            error = entry.get("error") or {}
            told = f"  {error['code']} {error['message']}" if error else ""
            out.say(f"{entry['at'][:19]}  {entry['event']:<14} {' '.join(facts)}{told}")
            for line in entry.get("traceback", ()):
                out.say(f"    {line}")
