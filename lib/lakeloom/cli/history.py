"""``lakeloom history TABLE``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import Shell, shell, size

if TYPE_CHECKING:
    from lakeloom.api.keeping_cost import HistoryCost


def history(
    table: Annotated[str | None, typer.Argument(help="layer.name; with --cost, all tables.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="How many commits, the newest first.")] = None,
    cost: Annotated[bool, typer.Option("--cost", help="Show what the history costs, and who needs it.")] = False,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List a table's commits, newest first, each with the run and the versions that it was made from.

    JSON: [{"version", "timestamp", "operation", "metrics": {}, "manifest": {"step", "epoch", "run", "reads", the branch
    that it was "promoted" from, …}, "readable": false where the version's files were vacuumed}]. With --cost, by table:
    [{"table", "version", "bytes" of the newest version, "versions" and "oldest" that can be read, "history_bytes" and
    "history_files" that only older versions need, "free_bytes" of them that nobody needs, "pinned": [{"versions",
    "by"}]}].
    """
    if table is None and not cost:
        raise typer.BadParameter("name a table, or ask for --cost", param_hint="TABLE")
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        lake = out.open()
        if cost or table is None:
            _cost(out, lake.history_cost(*([table] if table else ()))[:limit])
            return
        found = lake.table(table).history(limit)
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
                    _run(made),
                    reads,
                    "" if entry["readable"] else "vacuumed",
                )
            )
        out.table(
            ("version", "at (UTC)", "operation", "rows written", "run", "from", "files"), rows, right=("rows written",)
        )


def _run(made: Mapping[str, Any]) -> str | None:
    """Return the run that made a version, and the branch that it came from where it was promoted."""
    run = made.get("run")
    return f"{run} (promoted from {made['promoted']})" if "promoted" in made else run


def _cost(out: Shell, found: list[HistoryCost]) -> None:
    if out.as_json:
        out.document([each.as_dict() for each in found])
        return
    rows = [
        (
            each.table,
            size(each.bytes),
            size(each.history_bytes),
            size(each.free_bytes),
            each.versions,
            str(each.oldest),
            "; ".join(f"{versions}: {by}" for versions, by in each.pinned),
        )
        for each in found
    ]
    numbers = ("newest", "history", "of it free", "versions", "oldest")
    out.table(("table", *numbers, "needed by"), rows, right=numbers)
    total, free = sum(each.history_bytes for each in found), sum(each.free_bytes for each in found)
    out.say(f"{len(found)} tables, {size(total)} of history; a vacuum could free {size(free)} (upkeep: {{vacuum: …}})")
