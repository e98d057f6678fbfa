"""``lakeloom check``."""

from __future__ import annotations

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell


def check(conf: Conf = None, env: Env = None, as_json: Json = False, debug: Debug = False) -> None:
    """Find every mistake in the config, all at once, without Spark.

    Exit code 2 where there is any. JSON: {"findings": [{"code", "file", "line", "path", "message", "fix"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        findings = out.open().check()
        if as_json:
            out.document({"findings": [finding.as_dict() for finding in findings]})
        else:
            for finding in findings:
                out.say(f"{finding}\n")
            count = len(findings)
            out.say(f"{count} mistake{'' if count == 1 else 's'}" if findings else "no mistakes")
        if findings:
            raise typer.Exit(2)
