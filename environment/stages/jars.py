"""Spark's extra jars: each by its Maven coordinates, fetched once, alone, and checked.

Spark ships Ivy; it knows the central repository, so no host name stands here. A company's mirror is
named by ``LAKELOOM_IVY_SETTINGS``, the path of an Ivy settings file. Dependencies are left out on
purpose: Delta's would bring a second Hadoop and a second Parquet.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from stages.failure import SetupError
from stages.files import matches, place
from stages.locks import Jar
from stages.machine import Java
from stages.places import Places
from stages.progress import Progress

Fetch = Callable[[Sequence[Jar], Path], None]


def target(places: Places, jar: Jar) -> Path:
    """Return where a jar belongs in the checkout."""
    return places.jars / jar.folder / jar.file


def missing(places: Places, lock: Sequence[Jar]) -> list[Jar]:
    """Return the jars that are absent or not what the lock says."""
    return [jar for jar in lock if not matches(target(places, jar), jar.sha256)]


def supply(places: Places, lock: Sequence[Jar], fetch: Fetch) -> None:
    """Put every jar of the lock in its place, from the user's cache or by `fetch`.

    Raises
    ------
    SetupError
        LL-SETUP-007 where a fetched jar is not what the lock says; nothing of it is kept.
    """
    kept = {jar: places.cache / "jars" / jar.sha256 / jar.file for jar in lock}
    absent = missing(places, lock)
    wanted = [jar for jar in absent if not matches(kept[jar], jar.sha256)]
    if wanted:
        with tempfile.TemporaryDirectory(prefix="lakeloom-jars-") as made:
            fetch(wanted, Path(made))
            for jar in wanted:
                fetched = Path(made) / jar.file
                if not matches(fetched, jar.sha256):
                    found = "is not what its checksum says" if fetched.exists() else "could not be fetched"
                    raise SetupError(
                        "LL-SETUP-007",
                        f"{jar.organisation}:{jar.name}:{jar.version} {found}",
                        "check the network or the mirror, then run 'make setup' again",
                    )
                place(fetched, kept[jar])
    for jar in absent:
        for older in target(places, jar).parent.glob(f"{jar.name}-[0-9]*.jar"):
            older.unlink()  # another version of it would stand beside it on the class path
        place(kept[jar], target(places, jar))


def module(wanted: Sequence[Jar]) -> str:
    """Return the Ivy module that asks for these jars and nothing else."""
    lines = [
        f"<dependency org={quoteattr(jar.organisation)} name={quoteattr(jar.name)} rev={quoteattr(jar.version)}"
        ' conf="default->default" transitive="false"/>'
        for jar in wanted
    ]
    return (
        '<ivy-module version="2.0"><info organisation="lakeloom" module="jars"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{''.join(lines)}</dependencies></ivy-module>"
    )


def by_ivy(places: Places, java: Java, progress: Progress) -> Fetch:
    """Return the fetch that asks Spark's own Ivy, with an empty cache of its own."""

    def fetch(wanted: Sequence[Jar], folder: Path) -> None:
        ivy = next((places.site / "pyspark" / "jars").glob("ivy-2*.jar"))
        asked = folder / "ivy.xml"
        asked.write_text(module(wanted), encoding="utf-8")
        command: list[str | Path] = [java.program, "-jar", ivy, "-warn", "-cache", folder / "cache", "-ivy", asked]
        settings = os.environ.get("LAKELOOM_IVY_SETTINGS")
        if settings:
            command += ["-settings", settings]
        command += ["-types", "jar", "-confs", "default", "-retrieve", f"{folder}/[artifact]-[revision].[ext]"]
        progress.call(command)

    return fetch
