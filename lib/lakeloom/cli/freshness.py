"""``lakeloom freshness``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell

Notify = Annotated[bool, typer.Option("--notify", help="Tell the channels under notify: which tables are late.")]


def freshness(
    notify: Notify = False, conf: Conf = None, env: Env = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Show how old the data of each table is that declares freshness; starts no Spark.

    Exit code 1 where a table is late or holds nothing. JSON: {"tables": [{"table", "newest", "by": "event" or
    "arrival", "age_s", "allowed_s", "status": "fresh", "late" or "missing", "owner"}], "notifications": [{"channel",
    "delivered", "attempts", "subject", "error"}]}.
    """
    from lakeloom.notify.events import span

    with shell(conf, env, as_json=as_json, debug=debug) as out:
        lake = out.open()
        found = lake.freshness()
        told = lake.tell_late(found) if notify else []
        if as_json:
            out.document({"tables": [each.as_dict() for each in found], "notifications": [t.as_dict() for t in told]})
        elif found:
            rows = [
                (each.table, each.status, each.newest and f"{each.newest:%Y-%m-%d %H:%M}",
                 None if each.age_s is None else span(each.age_s), span(each.allowed_s), each.owner)
                for each in found
            ]  # fmt: skip
            out.table(("table", "status", "newest (UTC)", "age", "allowed", "owner"), rows)
        else:
            out.say("no table and no source declares freshness:")
        for delivery in told:
            said = "told" if delivery.error is None else f"not told, {delivery.error['message']}"
            sys.stderr.write(f"{delivery.channel}: {said}\n")
        if any(each.status != "fresh" for each in found):
            raise typer.Exit(1)
