"""``lakeloom cost [RUN]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, moment
from lakeloom.cli.shell import Shell, shell, size

if TYPE_CHECKING:
    from lakeloom.api.cost import By, Cost

Run = Annotated[str | None, typer.Argument(metavar="[RUN]", help="Only this run.")]
ByOption = Annotated[str, typer.Option("--by", metavar="WHAT", help="step, table or model.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Only steps that ended since then (UTC).")]
PricesOption = Annotated[Path | None, typer.Option("--prices", metavar="FILE", help="A price file to lay over it.")]
Compare = Annotated[
    list[Path] | None, typer.Option("--compare", metavar="FILE", help="More price files, compared on the same work.")
]


def cost(
    run: Run = None,
    by: ByOption = "step",
    since: Since = None,
    prices: PricesOption = None,
    compare: Compare = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what steps, tables or models took, and what that costs by one or several price files.

    JSON: {"by", "runs", "rows": [{"name", "executions", "unmeasured", "seconds", "slot_seconds", "task_seconds",
    "cpu_seconds", "bytes_read", "bytes_written", "shuffle_bytes", "spilled_bytes", "stored_bytes", "costs": {file's
    name: {"compute", "storage_month"}}}], "total": the same, "prices": [{"name", "currency", "note", "compute",
    "storage_month", "vs_first"}]}.
    """
    begin = moment("--since", since)
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        files = [file for file in (prices, *(compare or ())) if file is not None]
        found = out.open().cost(*files, by=cast("By", by), since=begin, run=run)
        if as_json:
            out.document(found.as_dict())
        elif found.usages:
            _show(out, found)
        else:
            out.say("nothing has run yet; 'lakeloom run' does")


def _show(out: Shell, found: Cost) -> None:
    names = [f"{each.name} ({each.currency})" for each in found.prices]
    numbers = ("times", "seconds", "slot-s", "task-s", "read", "written", "shuffled", "stored", *names)
    rows = []
    for usage in (*found.usages, found.total):
        times = (usage.seconds, usage.slot_seconds, usage.task_seconds)
        moved = (usage.bytes_read, usage.bytes_written, usage.shuffle_bytes, usage.stored_bytes)
        costs = [f"{usage.cost(prices)['compute']:.4f}" for prices in found.prices]
        rows.append([usage.name, usage.executions, *(f"{time:.1f}" for time in times), *map(size, moved), *costs])
    out.table((found.by, *numbers), rows, right=numbers)
    for each in found.comparison():
        ratio = "" if each["vs_first"] in (None, 1.0) else f", {each['vs_first']:.2f} times the first"
        money = (
            f"{each['compute']:.4f} {each['currency']} for what ran, {each['storage_month']:.4f} a month for storage"
        )
        out.say(f"{each['name']}: {money}{ratio}" + (f" ({each['note']})" if each["note"] else ""))
    if found.total.unmeasured:
        out.say(
            f"{found.total.unmeasured} executions were not measured by Spark; their task-seconds and bytes are missing"
        )
