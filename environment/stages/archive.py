"""The class-data archive: Spark's and Delta's classes, parsed once, mapped at every later start.

The JVM checks the archive against its own build and the class path (names, sizes, times) and leaves
it alone where they differ (seen: another class path, another collector, rubbish, an empty file). So
it is made again when any of these changed, and a failure to make it fails nothing: sessions only
start slower. A cut-off archive is the exception, the JVM crashes on it (SIGBUS, JDK 17): its size is
noted, and an archive of another size is removed and made again.
"""

from __future__ import annotations

import os
from pathlib import Path

from stages.failure import SetupError
from stages.files import write
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


def size_note(places: Places) -> Path:
    """Return the file that holds the archive's size in bytes."""
    return places.jars / "classes.size"


def whole(places: Places) -> bool:
    """Return whether the archive is as long as when it was made, or none was made and none is there."""
    made, note = archive(places), size_note(places)
    if not made.exists():
        return not note.exists()
    return note.exists() and note.read_text(encoding="utf-8").strip() == str(made.stat().st_size)


def make(places: Places, java: Java, progress: Progress) -> bool:
    """Make the archive by a warm-up; return whether there is one now."""
    made = archive(places)
    made.unlink(missing_ok=True)
    size_note(places).unlink(missing_ok=True)
    part = made.with_name(".classes.jsa.part")
    part.unlink(missing_ok=True)
    env = dict(os.environ) | {"JAVA_HOME": str(java.program.parent.parent), "LAKELOOM_JARS": str(places.jars)}
    env["PYTHONPATH"] = str(places.checkout / "lib")
    try:
        progress.call([places.python, places.environment / "warm_up.py", part], env=env, cwd=places.checkout)
    except SetupError as cause:
        progress.say(f"class-data archive: not made, sessions start some seconds slower ({cause.code})")
        part.unlink(missing_ok=True)
    if not part.exists():
        return False
    write(size_note(places), f"{part.stat().st_size}\n")
    part.replace(made)
    return True
