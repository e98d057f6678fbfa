"""What every command does around its one call: options, output, errors, exit codes.

Standard output holds the result alone: with ``--json`` exactly one document, also where the command
fails. Progress, logs and errors for people go to standard error. An error shows its code, place,
message and fix, and no traceback without ``--debug``; every text is masked.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from lakeloom.core.errors import LakeloomError
from lakeloom.core.extras import missing
from lakeloom.core.secrets import MaskingFilter, mask, masked_traceback

if TYPE_CHECKING:
    from rich.console import Console

    from lakeloom.api.lakehouse import Lakehouse

STOPPED = 130


class Shell:
    """One call of a command.

    Parameters
    ----------
    as_json : bool
        Print one JSON document instead of tables.
    debug : bool
        Show tracebacks.
    """

    def __init__(
        self,
        conf: str | None,
        env: str | None,
        *,
        as_json: bool,
        debug: bool,
        sample: str | None = None,
        branch: str | None = None,
    ) -> None:
        self.conf, self.env, self.as_json, self.debug = conf, env, as_json, debug
        self.sample, self.branch = sample, branch

    def open(self) -> Lakehouse:
        """Open the project that the options name."""
        from lakeloom.api.lakehouse import open_lakehouse

        return open_lakehouse(self.conf, self.env, sample=self.sample, branch=self.branch)

    def document(self, value: Any) -> None:
        """Print the command's one JSON document."""
        sys.stdout.write(mask(json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)) + "\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
        """Print a table on standard output; `right` names the columns of numbers."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column in columns:
            shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in rows:
            shown.add_row(*[Text(cell(value)) for value in row])
        self.out().print(shown)

    def say(self, text: str = "") -> None:
        """Print a line for people on standard output."""
        sys.stdout.write(mask(text) + "\n")

    def out(self) -> Console:
        """Return the console of standard output: as wide as the terminal, or as the content needs."""
        from rich.console import Console

        return Console() if sys.stdout.isatty() else Console(width=10_000, soft_wrap=True)


@contextmanager
def shell(
    conf: str | None,
    env: str | None,
    *,
    as_json: bool,
    debug: bool,
    sample: str | None = None,
    branch: str | None = None,
) -> Iterator[Shell]:
    """Give a command its shell; turn errors into texts and exit codes.

    Raises
    ------
    typer.Exit
        1 where the request failed, 2 where the config is wrong, 130 after Ctrl-C.
    """
    if debug:
        os.environ["LAKELOOM_DEBUG"] = "1"
    _logging(debug)
    made = Shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch)
    try:
        yield made
    except LakeloomError as error:
        _fail(made, error, debug)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the next run goes on where this one stopped\n")
        raise typer.Exit(STOPPED) from None
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough
        sys.stderr.close()
        raise typer.Exit(0) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as cause:  # a fault of lakeloom itself: named by its class, since its text may quote a value
        lacking = missing(cause)
        if lacking is not None:
            _fail(made, lacking, debug)
            raise typer.Exit(lacking.exit_code) from None
        if debug:
            sys.stderr.write(masked_traceback(cause))
            raise typer.Exit(1) from None
        text, fix = f"internal error: {type(cause).__name__}", "run again with --debug and report the traceback"
        if made.as_json:
            made.document({"error": {"code": "", "where": "", "message": text, "fix": fix}})
        sys.stderr.write(f"{text}\n  fix: {fix}\n")
        raise typer.Exit(1) from None
    finally:
        sys.stdout.flush()


def cell(value: Any) -> str:
    """Return a value as a table shows it: counts with separators, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, dict | list):
        return mask(json.dumps(value, ensure_ascii=False, default=str))
    return mask(str(value))


def size(count: int) -> str:
    """Return a number of bytes in a unit that people read."""
    value = float(count)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def _fail(made: Shell, error: LakeloomError, debug: bool) -> None:
    if debug:
        sys.stderr.write(masked_traceback(error))
    findings = getattr(error, "findings", None)
    if made.as_json and findings is not None:
        made.document({"findings": [finding.as_dict() for finding in findings]})
    elif made.as_json:
        made.document({"error": error.as_dict()})
    sys.stderr.write(f"{error}\n")


def _logging(debug: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(MaskingFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("lakeloom").setLevel(logging.DEBUG if debug else logging.WARNING)
