"""``lakeloom doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell

_MARKS = {"ok": "✓", "optional": "–", "missing": "✗"}


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Fetch Delta's jars where they are missing.")] = False,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Look whether this machine has all that is needed: JDK, jars, extras, disk, storage root.

    Exit code 1 where something needed is missing. JSON: [{"name", "status": "ok", "optional" or
    "missing", "found", "fix"}].
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        found = out.open().doctor(fix=fix)
        if as_json:
            out.document([entry.as_dict() for entry in found])
        else:
            for entry in found:
                todo = f"; {entry.fix}" if entry.fix else ""
                out.say(f"{_MARKS[entry.status]} {entry.name:<18}  {entry.found}{todo}")
        if any(entry.status == "missing" for entry in found):
            raise typer.Exit(1)
