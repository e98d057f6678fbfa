"""``lakeloom upkeep [SELECT]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import Shell, shell, size

if TYPE_CHECKING:
    from lakeloom.flow.upkeeping import UpkeepResult

Tables = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SELECT]...", help="Tables or globs of them; meta for the platform's own."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]


def upkeep(
    select: Tables = None,
    dry_run: DryRun = False,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Put small files together, and delete those that no kept version needs; now, whatever 'every' says.

    A table is vacuumed only where its upkeep: names vacuum:, and never a version that a ref, a model or an
    unfinished step needs. JSON: {"tables": [{"table", "version", "done": [], "skipped", "files_before",
    "files_after", "bytes_rewritten", "files_deleted", "bytes_freed", "left", "gone", "kept": [{"versions",
    "by"}]}], "run": as of 'lakeloom run', null with --dry-run}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        lake = out.open()
        if dry_run:
            result = lake.upkeep(*(select or ()), dry_run=True)
        else:
            with progress() as listener:
                result = lake.upkeep(*(select or ()), listener=listener)
        if as_json:
            out.document(result.as_dict())
        else:
            _show(out, result, dry_run)
        if result.run is not None:
            from lakeloom.cli.summary import failures

            failures(lake, result.run, debug=out.debug)
        if result.exit_code:
            raise typer.Exit(result.exit_code)


def _show(out: Shell, result: UpkeepResult, dry_run: bool) -> None:
    counts = ("files", "then", "rewritten", "deleted", "freed")
    rows = [_row(entry) for entry in result.tables if entry["done"] or entry["skipped"] or entry["kept"]]
    if rows:
        out.table(("table", "what", *counts, "no longer readable", "kept"), rows, right=counts)
    freed = sum(entry["bytes_freed"] for entry in result.tables)
    deleted = sum(entry["files_deleted"] for entry in result.tables)
    would = "would be deleted" if dry_run else "deleted"
    out.say(f"{len(result.tables)} tables looked at, {deleted:,} files {would}, {size(freed)}")


def _row(entry: dict[str, Any]) -> tuple[Any, ...]:
    kept = "; ".join(f"{each['versions']}: {each['by']}" for each in entry["kept"])
    what = entry["skipped"] or "; ".join(entry["done"])
    numbers = (entry["files_before"], entry["files_after"], size(entry["bytes_rewritten"]), entry["files_deleted"])
    return (entry["table"], what, *numbers, size(entry["bytes_freed"]), entry["gone"], kept)
