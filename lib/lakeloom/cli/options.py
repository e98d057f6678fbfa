"""The options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

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
