"""``lakeloom rules import FILE`` and ``lakeloom rules export TABLE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def rules(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="import or export.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="A suite's JSON file, or a table.")],
    table: Annotated[
        str | None, typer.Option("--table", metavar="TABLE", help="For import: the table that the rules are for.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write it to this new file.")] = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Take rules from a suite of great-expectations, or write a table's rules as one.

    import prints the YAML for tables.yml, and needs no project; export prints the suite's JSON. What could
    not be taken stands on standard error. JSON: {"table", "rules": [rule or expectation], "left": [{"name",
    "reason"}]}.
    """
    if action not in ("import", "export"):
        raise typer.BadParameter(f"'{action}' is neither import nor export", param_hint="ACTION")
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        if action == "import":
            from lakeloom.api.suites import read_suite

            suite = read_suite(Path(name), table)
        else:
            suite = out.open().suite(name)
        if output is not None:
            suite.write(output)
        if as_json:
            out.document(suite.as_dict())
        else:
            out.say(suite.text.rstrip("\n") if output is None else str(output))
        for each, reason in suite.left:
            sys.stderr.write(f"not taken: {each}: {reason}\n")
