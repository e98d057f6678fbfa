"""``lakeloom suggest TABLE``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def suggest(
    table: Annotated[str, typer.Argument(help="layer.name, of any layer; layer.name@7 or --version for another one.")],
    version: Annotated[
        str | None, typer.Option("--version", metavar="VERSION", help="A number, an ISO time or a tag.")
    ] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print the entry for tables.yml and nothing else.")] = False,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Profile a table, and propose a contract and rules with their evidence.

    All rows are looked at. No value of a column that looks personal is shown. Proposals of low confidence are
    told and left out of the YAML. JSON: {"table", "version", "target", "rows", "proposals": [{"kind",
    "columns": [], "says", "evidence", "confidence": "high", "medium" or "low", "config": {}}], "yaml",
    "profile": {"columns": [{"name", "type", "rows", "nulls", "guarded", …}], "unique", "repeated",
    "references"}}.
    """
    if as_yaml and as_json:
        raise typer.BadParameter("give one of the two", param_hint="--yaml, --json")
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        from lakeloom.api.suggestion import shown

        found = out.open().suggest(table, version)
        if as_json:
            out.document(found.as_dict())
        elif as_yaml:
            out.say(found.text.rstrip("\n"))
        else:
            sys.stdout.write(f"{found.table}@{found.version}: {found.profile.rows:,} rows\n")
            out.table(("confidence", "column", "proposal", "evidence"), list(shown(found.proposals)))
            out.say(found.text.rstrip("\n"))
