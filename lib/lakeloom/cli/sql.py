"""``lakeloom sql "select …"``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from lakeloom.cli.options import At, Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell

_SHOWN = 1000


class Engine(StrEnum):
    """Who answers."""

    auto = "auto"
    delta = "delta"
    spark = "spark"


def sql(
    text: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT; - reads it from standard input.")],
    engine: Annotated[
        Engine, typer.Option("--engine", help="auto takes Spark only for what deltalake can't read.")
    ] = Engine.auto,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, help="How many rows; 1000 where a table is shown.")
    ] = None,
    at: At = None,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Query the tables by name: FROM silver.flights, silver.flights@7, silver.flights@release-7. Only SELECT is taken.

    JSON: [{column: value}]; timestamps as ISO 8601 in UTC, decimals as text, binary as base64, NaN and
    infinities as text. A query that does not parse, does not fit the tables or fails exits with 1.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        from lakeloom.api.values import records

        query = sys.stdin.read() if text == "-" else text
        wanted = limit if limit is not None or as_json else _SHOWN + 1
        lake = out.open()
        data = (lake.at(at) if at else lake).sql(query, engine=engine.value, limit=wanted)
        if as_json:
            out.document(records(data))
            return
        shown = data.slice(0, _SHOWN) if limit is None else data
        out.table(data.column_names, [list(row.values()) for row in records(shown)])
        more = data.num_rows > shown.num_rows
        out.say(f"the first {_SHOWN:,} rows; --limit shows more" if more else f"{shown.num_rows:,} rows")
