"""``lakeloom tag [NAME] [TABLE]...``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell

Tables = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TABLE]...", help="Tables, globs of them, or table@version; all by default."),
]


def tag(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Such as release-7; all tags without one.")
    ] = None,
    tables: Tables = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the tag: its versions are kept no more.")] = False,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Name a consistent set of good versions over many tables; without a name, list the tags.

    Then table@NAME reads a table at it, and 'sql' and 'tables' with --at NAME read all of them. A tag never
    moves, and vacuum keeps what it names. JSON: {"name", "at", "who", "versions": {table: version}}, of a
    list [the same].
    """
    if delete and (name is None or tables):
        raise typer.BadParameter("give the name of the tag, and nothing else", param_hint="--delete")
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        lake = out.open()
        found = lake.tags() if name is None else [lake.untag(name) if delete else lake.tag(name, *(tables or ()))]
        if as_json:
            out.document([each.as_dict() for each in found] if name is None else found[0].as_dict())
        elif name is None and not found:
            out.say("no tags yet; 'lakeloom tag NAME' makes one")
        elif delete:
            out.say(f"{name} is deleted; it named {len(found[0].versions):,} tables")
        else:
            rows = [
                (each.name, each.at.isoformat()[:19], each.who, table, str(version))
                for each in found
                for table, version in each.versions.items()
            ]
            out.table(("tag", "at (UTC)", "by", "table", "version"), rows, right=("version",))
