"""OpenLineage's own client, in an environment of its own: it says what is wrong with events."""

import json
import subprocess
from pathlib import Path

from stages import apart
from stages.places import Places

SCRIPT = Path(__file__).parent / "telemetry" / "strict_openlineage.py"


def problems(events):
    """Return what is wrong with each event, an empty text for a sound one."""
    python = apart.interpreter(Places.here(), "openlineage")
    lines = "".join(json.dumps(event) + "\n" for event in events)
    done = subprocess.run([python, SCRIPT], input=lines, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.splitlines()
