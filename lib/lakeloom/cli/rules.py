"""``lakeloom rules import FILE``, ``rules export TABLE`` and ``rules history TABLE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import Shell, shell

EXECUTIONS = 60
# What stands for an outcome in a line of them.
_MARKS = {"passed": "·", "warned": "w", "quarantined": "q", "failed": "F"}
_LINE = 40


def rules(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="import, export or history.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="A suite's JSON file, or a table.")],
    table: Annotated[
        str | None, typer.Option("--table", metavar="TABLE", help="For import: the table that the rules are for.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write it to this new file.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="For history: how many executions, the newest.")
    ] = EXECUTIONS,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show a table's rules over time, take rules from a suite of great-expectations, or write them as one.

    import prints the YAML for tables.yml, and needs no project; export prints the suite's JSON. What could
    not be taken stands on standard error. JSON: {"table", "rules": [rule or expectation], "left": [{"name",
    "reason"}]}.
    history shows each rule over the table's executions. JSON: [{"table", "rule", "column", "level", "counts":
    {"passed", "warned", "quarantined", "failed"}, "results": [{"run", "at", "epoch", "outcome", "rows",
    "broken", "share", "observed"}]}], oldest result first.
    """
    if action not in ("import", "export", "history"):
        raise typer.BadParameter(f"'{action}' is none of import, export, history", param_hint="ACTION")
    if (output or table) and action == "history":
        raise typer.BadParameter("'history' does not take it", param_hint="--output, --table")
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        if action == "history":
            _history(out, name, limit)
            return
        if action == "import":
            from lakeloom.api.suites import read_suite

            suite = read_suite(Path(name), table)
        else:
            suite = out.open().suite(name)
        if output is not None:
            suite.write(output)
        if as_json:
            out.document(suite.as_dict())
        else:
            out.say(suite.text.rstrip("\n") if output is None else str(output))
        for each, reason in suite.left:
            sys.stderr.write(f"not taken: {each}: {reason}\n")


def _history(out: Shell, table: str, limit: int) -> None:
    found = out.open().rule_history(table, limit)
    if out.as_json:
        out.document([each.as_dict() for each in found])
        return
    if not found:
        out.say(f"no execution of {table} has judged a rule")
        return
    rows = []
    for each in found:
        last = each.last
        line = "".join(_MARKS[judgement.outcome] for judgement in each.judgements[-_LINE:])
        share = None if last.share is None else f"{last.share:.2%}"
        rows.append(
            (each.rule, each.level, line, last.outcome, last.broken, last.rows, share, last.observed, last.at[:19])
        )
    heads = ("rule", "otherwise", "over time", "last", "broken", "of rows", "share", "observed", "at (UTC)")
    out.table(heads, rows, right=("broken", "of rows", "share"))
    out.say("oldest on the left: · passed, w warned, q rows went to quarantine, F the execution failed")
