"""``lakeloom init NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def init(
    name: Annotated[str, typer.Argument(help="The project's name: letters, digits, underscores.")],
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a small project into the current folder (or beside the conf folder that --conf names).

    It runs at once: a CSV file lands in bronze, is typed and checked in silver and counted in gold.
    JSON: {"files": []}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        from lakeloom.api.scaffold import scaffold

        files = scaffold(name, Path(conf).parent if conf else Path.cwd())
        if as_json:
            out.document({"files": [str(file) for file in files]})
            return
        for file in files:
            out.say(str(file))
        out.say("\nnext: lakeloom check, lakeloom run, lakeloom show gold.daily_orders")
