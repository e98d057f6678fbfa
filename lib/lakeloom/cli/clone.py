"""``lakeloom clone TABLE[@version] TARGET``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell, size


def clone(
    table: Annotated[str, typer.Argument(help="layer.name, or layer.name@version, @time or @tag.")],
    target: Annotated[str, typer.Argument(help="layer.name of the new table; no step may write it.")],
    full: Annotated[bool, typer.Option("--full", help="Copy the data files instead of sharing them.")] = False,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a table of the rows that another one has, or had at a version; without --full it takes no room.

    It is a table of its own: what is written into either, or vacuumed, does not touch the other. JSON: {"table",
    "source", "version", "files", "bytes", "full"}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        made = out.open().clone(table, target, full=full)
        if as_json:
            out.document(made.as_dict())
        else:
            how = "copied" if made.full else "shared"
            told = f"{made.files:,} files {how} ({size(made.bytes)})"
            out.say(f"{made.table} has the rows of {made.source}@{made.version}: {told}")
