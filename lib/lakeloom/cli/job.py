"""What each file of ``jobs/`` and ``lakeloom-step`` do: arguments in, steps run, exit code out.

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
        land, transform, materialise, tune, train, upkeep or export.
    arguments : sequence of str, optional
        ``--conf``, ``--env`` and any number of ``--select``; the process's own by default.
    """
    parser = _parser(f"Run the {kind} steps of a project.")
    parser.add_argument("--select", nargs="*", default=[], help="names, globs, +name, name+")
    given = parser.parse_args(arguments)
    sys.exit(_run(given, given.select, (kind,)))


def step(arguments: Sequence[str] | None = None) -> None:
    """Run exactly one step; the entry point ``lakeloom-step``, for schedulers that call a wheel.

    Returns where it went well, since some callers take any SystemExit for a failure; else it exits as
    `main` does.

    Parameters
    ----------
    arguments : sequence of str, optional
        ``--conf``, ``--env`` and ``--select STEP``.
    """
    parser = _parser("Run one step of a project.")
    parser.add_argument("--select", required=True, type=_one, metavar="STEP", help="a step's name")
    given = parser.parse_args(arguments)
    code = _run(given, [given.select], ())
    if code:
        sys.exit(code)


def _parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--conf", help="the project's folder or name, or the conf folder")
    parser.add_argument("--env", help="the environment: an overlay conf/NAME.yml")
    parser.add_argument(
        "--allow-breaking", action="store_true",
        help="let columns, types and keys of published tables go that readers lean on",
    )  # fmt: skip
    return parser


def _one(text: str) -> str:
    if not text or any(sign in text for sign in "*?[+"):
        raise argparse.ArgumentTypeError(f"'{text}' is a pattern; name one step")
    return text


def _run(given: argparse.Namespace, select: Sequence[str], kinds: Sequence[str]) -> int:
    try:
        result = open_lakehouse(given.conf, given.env).run(
            *select, kinds=kinds, listener=Lines(), allow_breaking=given.allow_breaking
        )
    except LakeloomError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(mask(json.dumps(result.as_dict())) + "\n")
    return result.exit_code
