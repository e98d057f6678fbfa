"""``lakeloom quarantine [TABLE] [list|fix|replay|drop]``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json, Sample
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import Shell, shell

if TYPE_CHECKING:
    from lakeloom.api.lakehouse import Lakehouse
    from lakeloom.flow.replaying import Replayed

# Which of the options each verb takes, beside those that choose rows.
_TAKES = {
    "list": {"--limit", "--all"},
    "fix": {"--set", "--file", "--on", "--why", "--replay"},
    "replay": set[str](),
    "drop": {"--why"},
}


def quarantine(
    table: Annotated[
        str | None, typer.Argument(help="layer.name: its quarantined rows; without, all rules' counts.")
    ] = None,
    verb: Annotated[str, typer.Argument(help="list, fix, replay or drop.")] = "list",
    rule: Annotated[str | None, typer.Option("--rule", help="Only rows that break this rule.")] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Only rows that meet this condition, as they came.")
    ] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Only this row; give several.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="list: how many rows, the newest first.")] = 100,
    resolved: Annotated[bool, typer.Option("--all", help="list: replayed and dropped rows as well.")] = False,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="COLUMN=SQL", help="fix: a new value; give several.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="fix: a CSV or JSON lines file of rows with an id or the keys.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="raw|row", help="fix: the row as it came, or as it was made.")
    ] = None,
    replays: Annotated[bool, typer.Option("--replay", help="fix: and replay the rows at once.")] = False,
    why: Annotated[str | None, typer.Option("--why", help="drop, fix: the reason, kept with the row.")] = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the rows that broke a rule or could not be read; fix, replay or give them up.

    JSON without TABLE: [{"table", "rule", "rows"}]; a row that broke two rules counts for both.
    JSON of list: [{"raw", "row", "bytes" (base64), "reasons": [], "file", "position": {"epoch", "file",
    "record"}, "step", "run", "at", "id", "state": "open", "fixed", "replayed" or "dropped", "fix": {column:
    value}, "fix_on", "why", "who", "changed_at", "changed_run"}]: raw as it came, row as the rules saw it.
    JSON of fix: {"table", "on": "raw", "row" or "file", "rows", "passing", "breaking": {rule: rows}}, with
    "replayed" where --replay is given; of replay: {"table", "rows", "written", "breaking", "run": as of
    'lakeloom run'}; of drop: {"table", "rows"}.
    """
    given = {"--limit": limit != 100, "--all": resolved, "--set": sets, "--file": file, "--on": on, "--why": why,
             "--replay": replays}  # fmt: skip
    _usable(table, verb, {name for name, value in given.items() if value}, on)
    chosen: dict[str, Any] = {"rule": rule, "where": where}
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        lake = out.open()
        if table is None:
            _counts(out, lake)
        elif verb == "list":
            _list(out, lake, table, limit, ids or [], chosen | {"resolved": resolved})
        elif verb == "fix":
            _fix(out, lake, table, sets or [], chosen | {"ids": ids or (), "file": file, "on": on, "why": why}, replays)
        elif verb == "replay":
            _replay(out, lake, table, chosen | {"ids": ids or ()})
        else:
            dropped = lake.drop(table, why=why or "", ids=ids or (), **chosen)
            if as_json:
                out.document(asdict(dropped))
            else:
                out.say(f"{dropped.rows:,} rows of {dropped.table} given up; --all shows them")


def _usable(table: str | None, verb: str, given: set[str], on: str | None) -> None:
    if verb not in _TAKES:
        raise typer.BadParameter(f"'{verb}' is none of {', '.join(_TAKES)}", param_hint="VERB")
    foreign = sorted(given - _TAKES[verb])
    if foreign:
        raise typer.BadParameter(f"'{verb}' does not take it", param_hint=", ".join(foreign))
    if on not in (None, "raw", "row"):
        raise typer.BadParameter(f"'{on}' is neither raw nor row", param_hint="--on")
    if verb == "drop" and "--why" not in given:
        raise typer.BadParameter("say why the rows are given up", param_hint="--why")
    if verb == "fix" and not {"--set", "--file"} & given:
        raise typer.BadParameter("give new values or a corrected file", param_hint="--set, --file")


def _counts(out: Shell, lake: Lakehouse) -> None:
    counts = lake.quarantine()
    if out.as_json:
        out.document([asdict(count) for count in counts])
    elif counts:
        out.table(("table", "rule", "rows"), [(c.table, c.rule, c.rows) for c in counts], right=("rows",))
    else:
        out.say("nothing is in quarantine")


def _list(out: Shell, lake: Lakehouse, table: str, limit: int, ids: list[str], chosen: dict[str, Any]) -> None:
    rows = lake.quarantined(table, None if ids else limit, **chosen)
    rows = [row for row in rows if row.id in ids][:limit] if ids else rows
    if out.as_json:
        out.document([asdict(row) for row in rows])
        return
    if not rows:
        out.say(f"nothing of {table} is in quarantine")
        return
    heads = ("id", "state", "reasons", "raw", "fix", "file", "position", "at (UTC)")
    shown = []
    for row in rows:
        raw = row.raw if row.bytes is None else "a whole file"
        fix = row.fix if row.why is None else {**(row.fix or {}), "why": row.why}
        shown.append((row.id, row.state, ", ".join(row.reasons), raw, fix, row.file, row.position, row.at[:19]))
    out.table(heads, shown)


def _fix(out: Shell, lake: Lakehouse, table: str, sets: list[str], options: dict[str, Any], replays: bool) -> None:
    fixed = lake.fix(table, *sets, **options)
    if not replays:
        if out.as_json:
            out.document(asdict(fixed))
            return
        _outlook(out, fixed.rows, fixed.passing, fixed.breaking, fixed.on)
        out.say(f"'lakeloom quarantine {table} replay' puts them into the table")
        return
    if not out.as_json:
        _outlook(out, fixed.rows, fixed.passing, fixed.breaking, fixed.on)
    with progress() as listener:
        done = lake.replay(table, listener=listener, **{key: options[key] for key in ("rule", "where", "ids")})
    _ended(out, lake, done, asdict(fixed) | {"replayed": done.as_dict()})


def _outlook(out: Shell, rows: int, passing: int, breaking: dict[str, int], on: str) -> None:
    out.say(f"{rows:,} rows fixed on {on}: {passing:,} would pass")
    for rule, count in breaking.items():
        out.say(f"  {count:,} would break {rule}")


def _replay(out: Shell, lake: Lakehouse, table: str, chosen: dict[str, Any]) -> None:
    with progress() as listener:
        done = lake.replay(table, listener=listener, **chosen)
    _ended(out, lake, done, done.as_dict())


def _ended(out: Shell, lake: Lakehouse, done: Replayed, document: dict[str, Any]) -> None:
    from lakeloom.cli.summary import failures

    if out.as_json:
        out.document(document)
    elif done.run is not None and all(step.status == "skipped" for step in done.run.steps):
        out.say("; ".join(step.reason for step in done.run.steps))
    elif done.exit_code == 0:
        out.say(f"{done.rows:,} rows judged again: {done.written:,} into {done.table}")
        for rule, count in done.breaking.items():
            out.say(f"  {count:,} still break {rule}, and stay in quarantine")
    if done.run is not None:
        failures(lake, done.run, debug=out.debug)
    if done.exit_code:
        raise typer.Exit(done.exit_code)
