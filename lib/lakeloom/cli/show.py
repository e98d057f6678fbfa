"""``lakeloom show TABLE[@version|@time|@tag]``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def show(
    table: Annotated[
        str, typer.Argument(help="layer.name, layer.name@7, layer.name@2026-01-31T12:00:00Z or layer.name@TAG")
    ],
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many rows.")] = 20,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the first rows of a table at its last good version or any other.

    JSON: {"table", "version", "rows", "columns": {column: type}, "data": [{column: value}]}; values
    as in 'lakeloom sql'.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        from lakeloom.api.values import records

        lake = out.open()
        found = lake.table(table)
        data = records(found.head(limit))
        if as_json:
            out.document(
                {
                    "table": str(found.name),
                    "version": found.version,
                    "rows": found.size.rows,
                    "columns": found.columns,
                    "data": data,
                }
            )
            return
        out.table(list(found.columns), [list(row.values()) for row in data])
        out.say(f"{found.name}@{found.version}: {len(data):,} of {found.size.rows:,} rows")
