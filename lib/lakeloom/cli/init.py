"""``lakeloom init NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import Shell, shell


def init(
    name: Annotated[str, typer.Argument(help="The project's name: letters, digits, underscores.")],
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="WHERE", help="Look at a folder, glob, s3://… address or jdbc: URL instead."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="Of the database or store: user, endpoint, access_key …"),
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="NAME", help="Of a database: orders, sales.*; all without.")
    ] = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a small project into the current folder (or beside the conf folder that --conf names).

    It runs at once: a CSV file lands in bronze, is typed and checked in silver and counted in gold.
    JSON: {"files": []}.

    With --from a real source is looked at, and a project that lands it is written, or its sources are added to the
    project NAME. Nothing is overwritten. A secret's value is never written: a placeholder is, and what is to be set is
    told. JSON: {"files": [], "sources": [{"name", "table", "entry", "why", "proposals"}], "unset": []}.
    """
    if origin is None and (option or table):
        raise typer.BadParameter("it goes with --from", param_hint="--option, --table")
    given = dict(_pair(each) for each in option or ())
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        folder = Path(conf).parent if conf else Path.cwd()
        if origin is not None:
            _onboard(out, name, origin, folder, given, table or ())
            return
        from lakeloom.api.scaffold import scaffold

        files = scaffold(name, folder)
        if as_json:
            out.document({"files": [str(file) for file in files]})
            return
        for file in files:
            out.say(str(file))
        out.say("\nnext: lakeloom check, lakeloom run, lakeloom show gold.daily_orders")


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise typer.BadParameter(f"'{text}' is not KEY=VALUE", param_hint="--option")
    return key, value


def _onboard(
    out: Shell, name: str, origin: str, folder: Path, options: dict[str, str], tables: list[str] | tuple[str, ...]
) -> None:
    from lakeloom.api.onboarding import onboard

    done = onboard(name, origin, folder, options=options, tables=tables)
    if out.as_json:
        out.document(done.as_dict())
        return
    for file in done.files:
        out.say(file)
    rows = [
        (seen.name, seen.table, str(seen.entry.get("format") or seen.entry.get("table") or "query"), seen.why[""])
        for seen in done.sources
    ]
    out.table(("source", "silver table", "format or table", "looked at"), rows)
    if done.unset:
        out.say("set before the first run: " + ", ".join(done.unset))
    out.say(f"next: lakeloom check --conf {name}, lakeloom run --conf {name}")
