"""``lakeloom metrics [RUN]``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell
from lakeloom.core.secrets import mask

Run = Annotated[str | None, typer.Argument(metavar="[RUN]", help="The run's id; the newest by default.")]


def metrics(run: Run = None, conf: Conf = None, env: Env = None, as_json: Json = False, debug: Debug = False) -> None:
    """Show a run's figures in Prometheus' text exposition.

    JSON: {"run_id", "samples": [{"name", "value", "labels": {label: value}, "unit", "help"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        found = out.open().metrics(run)
        if as_json:
            out.document(found.as_dict())
        else:
            sys.stdout.write(mask(found.text()))
