"""The program: the table of commands, and the exit codes where a command's own line is malformed."""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lakeloom.core.release import RELEASE

# Command → (module, what it does): the text stands here too, so that --help imports no command.
COMMANDS = {
    "init": "Write a small project that runs at once.",
    "check": "Find every mistake in the config, all at once, without Spark.",
    "plan": "Show what would run and why, and how far a change reaches.",
    "test": "Run the project's tests: rows given, rows expected.",
    "run": "Run what changed, or a selection.",
    "retry": "Run what the last run did not bring to an end.",
    "tables": "List the tables.",
    "show": "Show the first rows of a table, at any version.",
    "history": "List a table's commits.",
    "tag": "Name a consistent set of versions over many tables.",
    "diff": "Show how two versions of a table differ, or the project from what stands; and what that reaches.",
    "clone": "Make a table of the rows that another one has, without copying them.",
    "branch": "Make a branch of all tables, or list the branches.",
    "promote": "Build on main what a branch has built.",
    "restore": "Bring a table back to a published version.",
    "sql": "Query the tables, at any version.",
    "lineage": "Show what comes from what.",
    "why": "Show which bronze rows, files and positions a row came from.",
    "quarantine": "Show the rows that broke a rule or could not be read.",
    "suggest": "Profile a table, and propose a contract and rules with their evidence.",
    "rules": "Show a table's rules over time; take them from great-expectations, or write them as a suite.",
    "conflicts": "Show how often which source won against which, and what was not taken.",
    "freshness": "Show how old the data of each table is, against what is allowed.",
    "upkeep": "Put small files together, and delete those that no kept version needs.",
    "audit": "Show who did what to which table, or prove that nobody changed that.",
    "recover": "Rebuild the platform's own tables from intents and logs.",
    "runs": "List the runs.",
    "logs": "Show what happened in a run.",
    "metrics": "Show a run's figures in Prometheus' text.",
    "cost": "Show what steps, tables or models took, and what that costs.",
    "report": "Write a run's report as one HTML file.",
    "dictionary": "Write the data dictionary as HTML pages.",
    "export": "Write the graph for another scheduler.",
    "watch": "Run at each due time of the schedule.",
    "catalog": "Register all tables in the project's catalog.",
    "doctor": "Look whether this machine has all that is needed.",
}
HELP = {"help_option_names": ["-h", "--help"]}


class Commands(TyperGroup):
    """A group that imports a command when it is called, and lists all without importing any."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command made from the function of its name in its module; None for an unknown one."""
        if cmd_name not in COMMANDS:
            return None
        function = getattr(importlib.import_module(f"lakeloom.cli.{cmd_name}"), cmd_name)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name=cmd_name, context_settings=HELP)(function)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=HELP,
    help="One declarative project takes data from any source to a tuned, traceable model.",
    epilog="Each command takes --json (one document on standard output), --conf, --env and --debug."
    " Exit codes: 0 done, 1 a step or a request failed, 2 bad config or bad usage, 130 stopped; with --exit-code 3"
    " something would change, 4 a published table would break.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lakeloom {RELEASE}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the release and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    del version


def _ended(told: threading.ExceptHookArgs) -> None:
    """Say what ended a thread that nobody waits for; its text may hold a secret."""
    from lakeloom.core.secrets import masked_traceback

    if told.exc_value is not None and told.exc_type is not SystemExit:
        sys.stderr.write(masked_traceback(told.exc_value))


def run() -> None:
    """Run the program and leave with its exit code.

    The process ends without the interpreter's own tear-down, after Python's exit functions have run:
    native threads of pyarrow that are still alive then may abort the process (seen with 14.0.2: one
    call in ten under load), and a run that went well must not end with 134.
    """
    threading.excepthook = _ended
    try:
        code = app(prog_name="lakeloom", standalone_mode=True)
    except SystemExit as leaving:
        code = leaving.code
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed by the reader of a pipe
            stream.flush()
    os._exit(code if isinstance(code, int) else int(bool(code)))
