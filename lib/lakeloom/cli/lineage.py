"""``lakeloom lineage [X]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def lineage(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A table, model or source (silver.flights, models.late, sources.flights), a column of it"
            " (silver.flights.arr_delay), a version (silver.flights@7, silver.flights@7.arr_delay)."
        ),
    ] = None,
    up: Annotated[bool, typer.Option("--up", help="Only what it comes from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what comes from it.")] = False,
    between: Annotated[
        tuple[str, str] | None, typer.Option("--between", help="What lies on a way from the first to the second.")
    ] = None,
    how: Annotated[
        list[str] | None,
        typer.Option("--how", help="Of columns, follow only these flows: value, filter, 'join key', grouping, window."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the lineage of all columns as a page for the browser.")
    ] = None,
    branch: Branch = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what comes from what: of everything, or around one table, model, source or column.

    JSON: {"nodes": [{"id", "kind"}], "edges": [{"from", "to", "how", "expression"}],
    "notes": [{"table", "text"}]}, where a table's lineage is known only roughly and why; of --html {"page"}.
    """
    if name is not None and between is not None:
        raise typer.BadParameter("give a name, or --between and two names")
    first, to = between or (name, None)
    with shell(conf, env, as_json=as_json, debug=debug, branch=branch) as out:
        if html is not None:
            page = out.open().lineage_page(html)
            out.document({"page": str(page)}) if as_json else out.say(str(page))
            return
        both = up == down
        graph = out.open().lineage(first, up=up or both, down=down or both, to=to, how=how or ())
        if as_json:
            out.document(graph.as_dict())
        elif any(edge.expression for edge in graph.edges):
            rows = [(edge.source, edge.target, edge.how, edge.expression) for edge in graph.edges]
            out.table(("from", "to", "how", "expression"), rows)
        elif graph.edges:
            out.table(("from", "to", "how"), [(edge.source, edge.target, edge.how) for edge in graph.edges])
        else:
            out.say("nothing: no step reads or writes it" if graph.nodes else "nothing lies there")
        if not as_json:
            for table, text in graph.notes:
                out.say(f"{table}: {text}")
