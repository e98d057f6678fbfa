"""``python -m benchmarks [NAME]``: measure, print a table and a last line of JSON, write ``docs/results.md``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import BENCHES
from benchmarks.machine import machine
from benchmarks.report import page, terminal
from benchmarks.result import last_line, store, stored

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"


def main() -> None:
    """Measure one bench or all of them, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and write docs/results.md.")
    parser.add_argument("name", nargs="?", choices=[*BENCHES, "page"], help="a bench, or 'page': only write the page")
    name = parser.parse_args().name
    # Threads of scikit-learn that spin while they wait cost a busy machine half its speed.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    chosen = [] if name == "page" else [name] if name else list(BENCHES)
    failed = [each for each in chosen if not _measured(each)]
    PAGE.write_text(page(stored(BENCHES)))
    sys.exit(f"not measured: {', '.join(failed)}" if failed else 0)


def _measured(name: str) -> bool:
    """Measure, store and print one bench; a bench that can't be measured here says why and stops no other."""
    module, _, function = BENCHES[name].partition(":")
    try:
        result = getattr(importlib.import_module(module), function)()
    except RuntimeError as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return False
    about = machine()
    store(result, about, datetime.now(UTC).date().isoformat())
    print(terminal(stored([name])[0]))
    print(last_line(result, about), flush=True)
    return True


if __name__ == "__main__":
    main()
