"""``lakeloom dictionary``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def dictionary(
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FOLDER", help="Write it there [<root>/dictionary]."),
    ] = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the data dictionary: an HTML page for each table and an index with a search. Print the index's path.

    Made from contracts, rules, profiles and the log, without Spark. JSON: {"path", "tables", "columns"}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        written = out.open().dictionary(output)
        if as_json:
            out.document(written.as_dict())
        else:
            out.say(str(written.path))
