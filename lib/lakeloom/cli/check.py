"""``lakeloom check``."""

from __future__ import annotations

import typer

from lakeloom.cli.options import AllowBreaking, Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def check(
    allow_breaking: AllowBreaking = False,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Find every mistake in the config, all at once, without Spark.

    Where there is none, also what a change would break of published tables, unless --allow-breaking is given. Exit
    code 2 where there is any. JSON: {"findings": [{"code", "file", "line", "path", "message", "fix"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        findings = out.open().check(allow_breaking=allow_breaking)
        if as_json:
            out.document({"findings": [finding.as_dict() for finding in findings]})
        else:
            for finding in findings:
                out.say(f"{finding}\n")
            count = len(findings)
            out.say(f"{count} mistake{'' if count == 1 else 's'}" if findings else "no mistakes")
        if findings:
            raise typer.Exit(2)
