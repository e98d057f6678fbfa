"""``lakeloom branch [NAME]``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def branch(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Make it; without one, list all.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the branch, with all that it has written.")] = False,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a branch of all tables, list the branches, or delete one; no data is copied.

    'lakeloom run --branch NAME' makes it as well. JSON: {"name", "at", "who", "base": {table: version}, "promoted"},
    of a list [the same].
    """
    if delete and name is None:
        raise typer.BadParameter("give the name of the branch", param_hint="--delete")
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        lake = out.open()
        if name is not None and delete:
            found = [lake.drop_branch(name)]
        else:
            if name is not None:
                lake.branch(name)
            found = [each for each in lake.branches() if name in (None, each.name)]
        if as_json:
            told = [each.as_dict() for each in found]
            out.document(told if name is None else told[0])
        elif delete:
            out.say(f"{name} is deleted")
        elif not found:
            out.say("no branches yet; 'lakeloom branch NAME' makes one")
        else:
            rows = [(each.name, each.at[:19], each.who, len(each.base), each.promoted[:19]) for each in found]
            out.table(("branch", "at (UTC)", "by", "tables", "promoted at"), rows, right=("tables",))
