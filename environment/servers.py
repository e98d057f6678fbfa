"""`make servers`: install what tests of sources start on loopback, where the tools for it are there.

And Hadoop's connectors, which a project fetches when it first needs them: no test need wait for it.
"""

from __future__ import annotations

import sys

from stages import servers
from stages.places import Places


def main() -> int:
    """Install each; return the exit status."""
    places = Places.here()
    for name in ("moto", "azurite", "fake_gcs_server", "versitygw", "toxiproxy"):
        found = getattr(servers, name)(places)
        print(f"{name}: {'ready' if found else 'left out, since npm or Go is not there'}")
    from lakeloom.session.connectors import FOLDERS, connectors
    from lakeloom.session.jars import jars_home

    print(f"Hadoop's connectors: {len(connectors(jars_home(), FOLDERS))} places on Spark's class path")
    return 0


if __name__ == "__main__":
    sys.exit(main())
