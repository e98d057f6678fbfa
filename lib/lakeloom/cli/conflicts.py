"""``lakeloom conflicts TABLE``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def conflicts(
    table: Annotated[str, typer.Argument(help="layer.name of a table with 'resolve: {losers: …}'.")],
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many of the values that were not taken.")] = 10,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show how often which source won against which, by column and over the runs, and some of what was not taken.

    Values of columns that are tagged pii, sensitive or quasi_identifier, or that are named so, are not shown.
    JSON: {"table", "now": [{"column", "winner", "loser", "rows"}], "runs": [{"run", "at", "epoch", "rows", "by":
    as "now"}], "losers": the table, "sample": [{column: value}], "hidden": [columns]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        found = out.open().conflicts(table, limit)
        if as_json:
            out.document(found.as_dict())
            return
        if not found.runs:
            out.say(f"{table} has not been built yet, or its sources agree in all")
            return
        rows = [(each["column"], each["winner"] or "(expression)", each["loser"], each["rows"]) for each in found.now]
        out.table(("column", "winner", "loser", "rows"), rows, right=("rows",))
        out.table(
            ("run", "at (UTC)", "values not taken"),
            [(each["run"], each["at"][:19], each["rows"]) for each in found.runs],
            right=("values not taken",),
        )
        if found.sample:
            out.table(list(found.sample[0]), [list(row.values()) for row in found.sample])
        if found.hidden:
            out.say(f"not shown: {', '.join(found.hidden)}")
        out.say(f"all of them are the table {found.losers}")
