"""What each file of ``jobs/`` does: arguments in, the selection's steps of one kind run, exit code out.

Standard output is the JSON document of ``lakeloom run --json``, for an orchestrator; progress goes to
standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.cli.progress import Lines
from lakeloom.core.errors import LakeloomError
from lakeloom.core.secrets import mask


def main(kind: str, arguments: Sequence[str] | None = None) -> None:
    """Run the steps of one kind and exit: 0 done, 1 a step failed, 2 bad config, 130 stopped.

    Parameters
    ----------
    kind : str
        land, transform, materialise, tune or train.
    arguments : sequence of str, optional
        ``--conf``, ``--env`` and any number of ``--select``; the process's own by default.
    """
    parser = argparse.ArgumentParser(description=f"Run the {kind} steps of a project.")
    parser.add_argument("--conf", help="the project's folder or name, or the conf folder")
    parser.add_argument("--env", help="the environment: an overlay conf/NAME.yml")
    parser.add_argument("--select", nargs="*", default=[], help="names, globs, +name, name+")
    given = parser.parse_args(arguments)
    try:
        lake = open_lakehouse(given.conf, given.env)
        result = lake.run(*given.select, kinds=(kind,), listener=Lines())
    except LakeloomError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write(mask(json.dumps(result.as_dict())) + "\n")
    sys.exit(result.exit_code)
