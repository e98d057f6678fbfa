"""``lakeloom report [RUN]``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def report(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run's id; the newest without.")] = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a run's report as one self-contained HTML file, and print its path.

    JSON: {"path"}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        path = out.open().report(run)
        if as_json:
            out.document({"path": str(path)})
        else:
            out.say(str(path))
