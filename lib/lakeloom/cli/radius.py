"""How far a change reaches, as text: what ``plan`` and ``diff`` show of it, and their exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from lakeloom.cli.shell import Shell, size

if TYPE_CHECKING:
    from lakeloom.flow.radius import Radius, Reach
    from lakeloom.flow.standing import Figures

# Exit codes of --exit-code, beside 0, 1 and 2 of every command.
CHANGES, BREAKS = 3, 4
_MOST = 40


def leave(*, changes: bool, breaks: bool = False) -> None:
    """Leave with the code of what would happen, 0 for nothing."""
    if changes or breaks:
        raise typer.Exit(BREAKS if breaks else CHANGES)


def show(out: Shell, radius: Radius) -> None:
    """Show a radius to people."""
    if radius.changes:
        rows = [
            (
                change.step,
                ", ".join(change.words),
                ", ".join(f"{name} {what}" for name, what in change.columns.items() if not change.why)
                or ("every column, maybe" if change.why else ""),
                ", ".join(change.rows),
                change.why or ("no value: its text alone" if change.nothing else ""),
            )
            for change in radius.changes
        ]
        out.table(("changed", "words", "columns", "rows by", "note"), rows)
    for each in radius.removed:
        owner = f" (owner {each.owner})" if each.owner else ""
        out.say(f"{each.step}{owner} is declared no more: it stays as it is at version {each.version}")
        reach(out, each.reached)
    reach(out, radius.reached)
    if radius.reports:
        out.say("reports that tell of it: " + ", ".join(str(each["file"]) for each in radius.reports))
    if radius.rebuild:
        out.table(
            ("built anew", "took", "read", "written", "rows in", "that was"),
            map(_figures, radius.rebuild),
            right=("took",),
        )
        total = [sum(getattr(each, name) for each in radius.rebuild) for name in ("bytes_read", "bytes_written")]
        out.say(f"as before, that is {radius.seconds:,.1f} s, {size(total[0])} read, {size(total[1])} written")
    for broken in radius.breaking:
        out.say(f"breaks: {broken}")
    if radius.breaking:
        out.say("'lakeloom run' refuses that without --allow-breaking")


def reach(out: Shell, found: Iterable[Reach]) -> None:
    """Show what is reached, table by table."""
    by_table: dict[tuple[str, str], list[str]] = {}
    for each in found:
        table = ".".join(each.id.split(".")[:2])
        name = each.id[len(table) + 1 :] or ("rows" if each.kind == "table" else each.kind)
        told = f"{name} ({', '.join(each.how)}{'' if each.sure else ', maybe'})"
        by_table.setdefault((table, each.owner), []).append(told)
    if by_table:
        rows = []
        for (table, owner), names in by_table.items():
            more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
            rows.append((table, ", ".join(names[:_MOST]) + more, owner))
        out.table(("reached", "what, and how", "owner"), rows)


def _figures(each: Figures) -> tuple[str, ...]:
    kind = "from scratch" if each.scratch else "of new rows" if each.seconds else "never"
    return (
        each.step,
        f"{each.seconds:,.1f} s",
        size(each.bytes_read),
        size(each.bytes_written),
        f"{each.rows:,}",
        kind,
    )
