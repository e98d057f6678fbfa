"""``make campaign FAULTS=100``: both campaigns, or the one that KIND names; a last line of JSON each.

``{"campaign", "seed", "faults", "lost", "doubled", "by_kind"}``, of sources also ``wrong``: what was not as it should
be beside lost and doubled orders. ``KIND=sources ROOT=s3`` (azure, google) has the tables in a bucket of that store.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.campaign import kills, sources
from tests.scenarios.day.roots import KINDS

CAMPAIGNS: dict[str, Callable[..., dict[str, Any]]] = {"kills": kills.campaign, "sources": sources.campaign}


def main() -> None:
    """Run the campaigns; exit 1 where anything was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.campaign", description=__doc__)
    parser.add_argument("kind", nargs="?", choices=CAMPAIGNS)
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20130101)
    parser.add_argument("--root", choices=KINDS, help="of sources: the store that the tables lie in")
    asked = parser.parse_args()
    if asked.root and asked.kind != "sources":
        parser.error("only the campaign of sources has its tables in a bucket: KIND=sources ROOT=…")
    more = {"root": asked.root} if asked.root else {}
    bad = False
    for kind in [asked.kind] if asked.kind else CAMPAIGNS:
        with tempfile.TemporaryDirectory() as place:
            found = CAMPAIGNS[kind](Path(place), asked.faults, asked.seed, **more)
        result = {"campaign": kind, "seed": asked.seed} | more | found
        print(json.dumps(result), flush=True)
        bad = bad or bool(result["lost"] or result["doubled"] or result.get("wrong"))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
