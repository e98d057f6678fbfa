"""``lakeloom quarantine [TABLE]``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def quarantine(
    table: Annotated[
        str | None, typer.Argument(help="layer.name: its quarantined rows; without, all rules' counts.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many rows, the newest first.")] = 100,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the rows that broke a rule or could not be read.

    JSON without TABLE: [{"table", "rule", "rows"}]; a row that broke two rules counts for both.
    JSON with TABLE: [{"raw", "row", "bytes" (base64), "reasons": [], "file", "position": {"epoch", "file",
    "record"}, "step", "run", "at"}]: raw as it came, row as the rules saw it.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        lake = out.open()
        if table is None:
            counts = lake.quarantine()
            if as_json:
                out.document([asdict(count) for count in counts])
            elif counts:
                out.table(("table", "rule", "rows"), [(c.table, c.rule, c.rows) for c in counts], right=("rows",))
            else:
                out.say("nothing is in quarantine")
            return
        rows = lake.quarantined(table, limit)
        if as_json:
            out.document([asdict(row) for row in rows])
        elif rows:
            shown = [
                (
                    ", ".join(row.reasons),
                    row.raw if row.bytes is None else "a whole file",
                    row.file,
                    row.position,
                    row.at[:19],
                )
                for row in rows
            ]
            out.table(("reasons", "raw", "file", "position", "at (UTC)"), shown)
        else:
            out.say(f"nothing of {table} is in quarantine")
