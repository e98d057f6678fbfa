"""``lakeloom test [SELECT]``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import Conf, Debug, Env, Json
from lakeloom.cli.shell import shell

Tests = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SELECT]...", help="Tables, names of tests, or patterns of either; all by default."),
]


def test(
    select: Tests = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run the project's tests: rows given to a table's SQL or function, rows expected to come out.

    They stand in the project's folder tests/, and touch no table of the storage root.

    Exit code 0 all passed, 1 one failed, 2 a test is malformed. JSON: {"passed", "failed", "tests": [{"name",
    "table", "file", "line", "passed", "seconds", "rows" and "quarantine": {"missing": [], "unexpected": [],
    "differing": [[expected, got]]}, "quarantined": {rule: rows}, "error", "raised"}]}.
    """
    with shell(conf, env, as_json=as_json, debug=debug) as out:
        from lakeloom.api.values import plain

        results = out.open().test(*(select or ()))
        failed = sum(not result.passed for result in results)
        if as_json:
            tests = [plain(result.as_dict()) for result in results]
            out.document({"passed": len(results) - failed, "failed": failed, "tests": tests})
        else:
            for result in results:
                out.say(str(result))
            out.say(f"{len(results) - failed} passed, {failed} failed in {sum(r.seconds for r in results):.1f} s")
        if failed:
            raise typer.Exit(1)
