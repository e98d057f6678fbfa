"""`make lock`: resolve each ``.in`` file into a lock with hashes and without host names.

uv's own lock format names the hosts that files came from; a requirements file with hashes does not.
"""

from __future__ import annotations

import sys

from stages.failure import SetupError
from stages.locks import pins
from stages.packages import tool_environment, uv_program
from stages.places import Places
from stages.progress import Progress

PLAIN = ["--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]


def main() -> int:
    """Write the locks anew; return the exit status."""
    places = Places.here()
    progress = Progress(places.environment / ".setup.log")
    here = places.environment
    resolve = ["pip", "compile", *PLAIN, "--python", str(places.python)]
    ours = ["--overrides", str(here / "overrides.txt")]
    try:
        uv = uv_program(places, progress)
        for name, more in (
            ("requirements", ours),
            ("airflow", []),
            ("lakehouse_engine", []),
            ("openlineage", []),
            ("moto", []),
        ):
            with progress.stage(f"{name}.lock", "resolving"):
                asked, lock = here / f"{name}.in", here / f"{name}.lock"
                progress.call([uv, *resolve, *more, asked, "-o", lock], env=tool_environment())
    except SetupError as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"{len(pins((here / 'requirements.lock').read_text(encoding='utf-8')))} packages; read the difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
