"""``lakeloom restore TABLE POINT``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def restore(
    table: Annotated[str, typer.Argument(help="layer.name")],
    point: Annotated[str, typer.Argument(metavar="POINT", help="A version, a time, a tag, last-good, or previous.")],
    branch: Branch = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Bring a table back to a published version, by a commit of its own; who reads it follows at the next run.

    A time means what readers saw then, last-good the published version, previous the one with other rows before
    it. Its history goes back with it, its quarantine stays. JSON: {"table", "to": the version whose rows it has
    again, "version": the one that has them now, "tables": {table: new version}, empty where nothing had to be done}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, branch=branch) as out:
        found = out.open().restore(table, point)
        if as_json:
            out.document(found.as_dict())
        elif not found.tables:
            out.say(f"{found.table} has the rows of version {found.to} already")
        else:
            out.say(f"{found.table}@{found.version} has the rows of version {found.to} again, and is published")
            for name, version in found.tables.items():
                if name != found.table:
                    out.say(f"  with {name}@{version}")
