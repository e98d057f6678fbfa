"""``lakeloom history TABLE``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell


def history(
    table: Annotated[str, typer.Argument(help="layer.name")],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="How many commits, the newest first.")] = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List a table's commits, newest first, each with the run and the versions that it was made from.

    JSON: [{"version", "timestamp", "operation", "metrics": {}, "manifest": {"step", "epoch", "run", "reads", …},
    "readable": false where the version's files were vacuumed}].
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        found = out.open().table(table).history(limit)
        if as_json:
            out.document(found)
            return
        rows = []
        for entry in found:
            made = entry["manifest"]
            reads = ", ".join(f"{name}@{at}" for name, at in made.get("reads", {}).items())
            metrics = entry["metrics"]
            written = metrics.get("numOutputRows", metrics.get("num_added_rows"))
            rows.append(
                (
                    str(entry["version"]),
                    entry["timestamp"][:19],
                    entry["operation"],
                    int(written) if written is not None else None,
                    made.get("run"),
                    reads,
                    "" if entry["readable"] else "vacuumed",
                )
            )
        out.table(
            ("version", "at (UTC)", "operation", "rows written", "run", "from", "files"), rows, right=("rows written",)
        )
