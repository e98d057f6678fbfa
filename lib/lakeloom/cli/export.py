"""``lakeloom export KIND``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell

DRIFTED = 1


def export(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="databricks, airflow or submit.")],
    output: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="Where to [databricks.yml, dags/PROJECT.py].")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; name what differs between the file and the graph.")
    ] = False,
    manager: Annotated[str, typer.Option("--manager", help="For submit: kubernetes or yarn.")] = "kubernetes",
    deploy: Annotated[str, typer.Option("--deploy", help="For submit: the driver's place, client or cluster.")] = (
        "cluster"
    ),
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the graph for another scheduler: a Databricks bundle, an Airflow DAG, spark-submit commands.

    The environment is the kind's own (conf/databricks.yml for databricks) where --env names none. With
    --check exit code 1 where the file differs. JSON: {"kind", "file", "text"}, with --check {"kind",
    "file", "drift": [{"path", "file", "graph"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        if env is None and kind == "databricks":
            out.env = kind
        made = out.open().export(kind, output, manager=manager, deploy=deploy)
        facts = {"kind": kind, "file": str(made.file) if made.file else None}
        if check:
            drift = made.drift()
            if as_json:
                out.document(facts | {"drift": [each.as_dict() for each in drift]})
            else:
                for each in drift:
                    out.say(str(each))
            if drift:
                sys.stderr.write(f"{made.drifted(len(drift))}\n")
                raise typer.Exit(DRIFTED)
            if not as_json:
                out.say("no difference")
            return
        if made.file is not None:
            made.write()
        if as_json:
            out.document(facts | {"text": made.text})
        else:
            out.say(made.text.rstrip("\n") if made.file is None else str(made.file))
