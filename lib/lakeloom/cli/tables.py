"""``lakeloom tables``."""

from __future__ import annotations

from dataclasses import asdict

from lakeloom.cli.options import At, Branch, Conf, Debug, Env, Json, Sample
from lakeloom.cli.shell import shell, size


def tables(
    at: At = None,
    branch: Branch = None,
    sample: Sample = None,
    conf: Conf = None,
    env: Env = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List the tables at their last good versions, or at a tag or a time.

    JSON: [{"name", "layer", "version", "rows", "bytes", "path"}].
    """
    with shell(conf, env, as_json=as_json, debug=debug, sample=sample, branch=branch) as out:
        lake = out.open()
        found = (lake.at(at) if at else lake).tables()
        if as_json:
            out.document([asdict(table) for table in found])
        elif found:
            rows = [(table.name, str(table.version), table.rows, size(table.bytes)) for table in found]
            out.table(("table", "version", "rows", "size"), rows, right=("version", "rows", "size"))
        else:
            out.say("no tables yet; 'lakeloom run' makes them")
