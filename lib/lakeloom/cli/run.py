"""``lakeloom run [SELECT]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import typer

from lakeloom.cli.options import (
    AllowBreaking,
    Branch,
    By,
    Conf,
    Debug,
    Env,
    From,
    FullRefresh,
    Json,
    Sample,
    Select,
    Slice,
    To,
    span,
)
from lakeloom.cli.progress import progress
from lakeloom.cli.shell import shell
from lakeloom.cli.summary import ended, ended_backfill
from lakeloom.core.steps import Window

if TYPE_CHECKING:
    from lakeloom.core.steps import Basis


def run(
    select: Select = None,
    full_refresh: FullRefresh = False,
    start: From = None,
    end: To = None,
    by: By = "ingestion",
    slice: Slice = None,  # noqa: A002 - the option's name
    allow_breaking: AllowBreaking = False,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run what changed, or a selection; a second run does only what is new.

    With --from or --to, only files last changed in that time are landed, and rows that arrived in it
    are read again, as after a rule or a reference table was mended. With --slice or --by event it is a
    backfill: slice by slice, and the same command goes on with the first slice that is not done.

    With --branch, on a branch, which is made where there is none: nothing is landed, nobody is told, and main sees
    nothing of it until 'lakeloom promote'.

    A change that takes columns, types or keys from a published table is refused with all that it breaks, unless
    --allow-breaking is given; 'lakeloom plan' shows it beforehand. On a branch it is not asked for.

    Exit code 0 done (quarantined rows too), 1 a step failed, 2 bad config, 130 Ctrl-C. JSON: {"run_id",
    "status": "done", "failed" or "stopped", "steps": [{"name", "kind", "status": "done", "skipped",
    "failed" or "blocked", "reason", "rows_in", "rows_out", "quarantined", "version", "seconds"}]}; of a
    backfill: {"backfill", "by", "status", "slices": [{"number", "from", "to", "status": "done", "earlier",
    "failed", "stopped" or "waiting", "run_id", "seconds", "rows_in", "rows_out", "quarantined"}], "tail" and
    "broken": a run or null}.
    """
    window = span(start, end)
    sliced = slice is not None or by != "ingestion"
    _usable(window, by, sliced=sliced, full_refresh=full_refresh)
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample) as out:
        lake = out.open()
        lake = lake.branch(branch) if branch else lake
        if window is not None and window.start and window.end and sliced:
            basis = cast("Basis", by)
            with progress() as listener:
                done = lake.backfill(
                    *(select or ()), start=window.start, end=window.end, by=basis, slice=slice, listener=listener,
                    allow_breaking=allow_breaking,
                )  # fmt: skip
            ended_backfill(out, lake, done)
        else:
            with progress() as listener:
                result = lake.run(
                    *(select or ()), full_refresh=full_refresh, window=window, listener=listener,
                    allow_breaking=allow_breaking,
                )  # fmt: skip
            ended(out, lake, result)


def _usable(window: Window | None, by: str, *, sliced: bool, full_refresh: bool) -> None:
    if by not in ("ingestion", "event"):
        raise typer.BadParameter(f"'{by}' is neither ingestion nor event", param_hint="--by")
    if sliced and (window is None or window.start is None or window.end is None):
        raise typer.BadParameter("a backfill needs both --from and --to", param_hint="--slice, --by")
    if sliced and full_refresh:
        raise typer.BadParameter("a backfill and --full-refresh exclude each other", param_hint="--full-refresh")
