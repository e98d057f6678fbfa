"""``lakeloom lineage [X]``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def lineage(
    name: Annotated[
        str | None, typer.Argument(help="A table, model or source: silver.flights, models.late, sources.flights.")
    ] = None,
    up: Annotated[bool, typer.Option("--up", help="Only what it comes from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what comes from it.")] = False,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what comes from what: of everything, or around one table, model or source.

    JSON: {"nodes": [{"id", "kind"}], "edges": [{"from", "to", "how", "expression"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        both = up == down
        graph = out.open().lineage(name, up=up or both, down=down or both)
        if as_json:
            out.document(graph.as_dict())
        elif graph.edges:
            out.table(("from", "to", "how"), [(edge.source, edge.target, edge.how) for edge in graph.edges])
        else:
            out.say("nothing: no step reads or writes it" if graph.nodes else "the project has no steps")
