"""``lakeloom promote BRANCH``."""

from __future__ import annotations

from typing import Annotated

import typer

from lakeloom.cli.options import AllowBreaking, Conf, Debug, Env, Json, Sample
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import shell


def promote(
    branch: Annotated[str, typer.Argument(metavar="BRANCH", help="Its name.")],
    allow_breaking: AllowBreaking = False,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Build on main what a branch has built, at the same inputs, then take up what has come to main since.

    Refused where the branch has not run the code as it is now, where main was changed in the meantime, and without
    --allow-breaking where a published table would break. Killed, the same command goes on. JSON: {"branch", "status",
    "steps": [], "runs": [as of 'lakeloom run']}.
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        from lakeloom.cli.summary import failures, steps_of

        lake = out.open()
        with progress() as listener:
            done = lake.promote(branch, listener=listener, allow_breaking=allow_breaking)
        if as_json:
            out.document(done.as_dict())
        elif not done.steps:
            out.say(f"the branch {branch} has built nothing that could be promoted")
        else:
            for result in done.runs:
                steps_of(out, result)
            out.say(f"promoted from {branch}: {', '.join(done.steps)}")
        for result in done.runs:
            failures(lake, result, debug=out.debug)
        if done.exit_code:
            raise typer.Exit(done.exit_code)
