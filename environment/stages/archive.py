"""The class-data archive: Spark's and Delta's classes, parsed once, mapped at every later start.

The JVM checks the archive against its own build and the class path (names, sizes, times) and leaves
it alone where they differ. So it is made again when any of these changed, and a failure to make it
fails nothing: sessions only start slower.
"""

from __future__ import annotations

import os
from pathlib import Path

from stages.failure import SetupError
from stages.machine import Java
from stages.places import Places
from stages.progress import Progress
from stages.stamp import key


def archive(places: Places) -> Path:
    """Return the archive's path, where ``lakeloom.session.settings`` looks for it."""
    return places.jars / "classes.jsa"


def archive_key(places: Places, java: Java) -> str:
    """Return a hash of all that the JVM will compare: itself and the class path, and of the warm-up."""
    spark = places.site / "pyspark" / "jars"
    found = [*places.jars.glob("*.jar"), *spark.glob("*.jar")]
    facts = [f"{jar} {jar.stat().st_size} {jar.stat().st_mtime_ns}" for jar in sorted(found)]
    return key(str(java.program), java.release, *facts, places.environment / "warm_up.py")


def make(places: Places, java: Java, progress: Progress) -> bool:
    """Make the archive by a warm-up; return whether there is one now."""
    made = archive(places)
    made.unlink(missing_ok=True)
    part = made.with_name(".classes.jsa.part")
    part.unlink(missing_ok=True)
    env = dict(os.environ) | {"JAVA_HOME": str(java.program.parent.parent), "LAKELOOM_JARS": str(places.jars)}
    env["PYTHONPATH"] = str(places.checkout / "lib")
    try:
        progress.call([places.python, places.environment / "warm_up.py", part], env=env, cwd=places.checkout)
    except SetupError as cause:
        progress.say(f"class-data archive: not made, sessions start some seconds slower ({cause.code})")
    if part.exists():
        part.replace(made)
    return made.exists()
