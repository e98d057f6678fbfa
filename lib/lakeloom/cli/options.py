"""The options that commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from lakeloom.core.steps import Window

Conf = Annotated[
    str | None,
    typer.Option("--conf", metavar="FOLDER", help="The project's folder or name, or the conf folder [conf]."),
]
Env = Annotated[str | None, typer.Option("--env", metavar="NAME", help="The environment: an overlay conf/NAME.yml.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log's details.")]
Select = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SELECT]...", help="Names, globs, +name (with all upstream), name+ (with all downstream)."),
]
FullRefresh = Annotated[bool, typer.Option("--full-refresh", help="Build the selected tables anew.")]
AllowBreaking = Annotated[
    bool,
    typer.Option("--allow-breaking", help="Let columns, types and keys of published tables go that readers lean on."),
]
ExitCode = Annotated[
    bool,
    typer.Option("--exit-code", help="Leave with 3 where something would change, 4 where a published table breaks."),
]
Sample = Annotated[
    str | None,
    typer.Option("--sample", metavar="SHARE", help="A share of the data, such as 1%, with a storage root of its own."),
]
Branch = Annotated[
    str | None, typer.Option("--branch", metavar="NAME", help="Work on a branch, which shares the files of main.")
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="POINT", help="Read all tables at this tag or time, but those with a version."),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Land files changed, and read again rows that arrived, since then."),
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="… and before then (ISO dates or times, UTC).")]
By = Annotated[
    str,
    typer.Option("--by", metavar="TIME", help="What --from and --to mean: ingestion (arrival) or event (event_time:)."),
]
Slice = Annotated[
    str | None, typer.Option("--slice", metavar="LENGTH", help="Do the span in slices of this length, such as '1 day'.")
]


def span(start: str | None, end: str | None) -> Window | None:
    """Return the window of ``--from`` and ``--to``, None without both; a malformed time is bad usage (exit 2)."""
    if start is None and end is None:
        return None
    return Window(moment("--from", start), moment("--to", end))


def moment(option: str, text: str | None) -> datetime | None:
    """Return an option's time, aware; a malformed one is bad usage (exit 2)."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no ISO date or time", param_hint=option) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
