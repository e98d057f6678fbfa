"""``lakeloom audit list|verify``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from lakeloom.cli.options import Branch, Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


class Action(StrEnum):
    """What is asked of the audit."""

    list = "list"
    verify = "verify"


def audit(
    action: Annotated[Action, typer.Argument(help="list: what was done; verify: whether nobody changed that.")],
    table: Annotated[str | None, typer.Argument(help="List only what was done to this table.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="How many entries, the newest first.")] = None,
    branch: Branch = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show who did what, when, to which table at which version, or prove that nobody has changed that since.

    verify exits with 1 where the chain of hashes is broken. JSON of list: [{"order", "at", "who", "action", "table",
    "version", "step", "epoch", "run", "detail", "ref", "previous", "hash"}], newest first; of verify: {"sound",
    "rows", "head": the newest hash, "pending": changes that the next writer adds, "broken": what is wrong, "at"}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, branch=branch) as out:
        from lakeloom.api.values import plain

        lake = out.open()
        if action is Action.list:
            found = lake.audit(table)[::-1][:limit]
            if as_json:
                out.document(plain(found))
                return
            columns = ("at", "who", "action", "table", "version", "run", "detail", "hash")
            rows = [[str(plain(row[name]) if row[name] is not None else "")[:19 if name == "at" else 99][
                : 12 if name == "hash" else 99] for name in columns] for row in found]  # fmt: skip
            out.table(("at (UTC)", *columns[1:]), rows, right=("version",))
            return
        verdict = lake.verify_audit()
        if as_json:
            out.document(verdict.as_dict())
        elif verdict.broken:
            out.say(f"the audit was tampered with: {verdict.broken}")
        else:
            more = f", {verdict.pending} to be added by the next run" if verdict.pending else ""
            out.say(f"{verdict.rows:,} entries are as they were written{more}; the newest hash is {verdict.head}")
        if verdict.broken:
            raise typer.Exit(1)
