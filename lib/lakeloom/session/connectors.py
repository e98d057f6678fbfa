"""What Spark needs to read and write object stores itself: Hadoop's connectors, each kind's jars and settings.

A kind's jars are fetched once, when a project first needs them, into a folder of its own beside Delta's. They stand
on the driver's class path before Spark's own; a cluster has connectors of its own, and is left as it is.

Secrets go into the running Spark's Hadoop settings, never on its command line, which everybody on the machine sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.session.jars import Fetch, Jar, place

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Scheme of an address → the folders of its jars. 'hadoop' is a newer Hadoop than Spark's: see connectors.lock.
FOLDERS: dict[str, tuple[str, ...]] = {
    "s3": ("hadoop", "s3"), "s3a": ("hadoop", "s3"), "abfs": ("hadoop", "azure"), "abfss": ("hadoop", "azure"),
    "gs": ("gs",),
}  # fmt: skip


def locked() -> dict[str, list[Jar]]:
    """Return folder → its jars, as ``connectors.lock`` pins them."""
    found: dict[str, list[Jar]] = {}
    for line in Path(__file__).with_name("connectors.lock").read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].split()
        if words:
            folder, coordinates, sha256 = words
            organisation, name, version, *classifier = coordinates.split(":")
            found.setdefault(folder, []).append(Jar(name, version, sha256, organisation, *classifier))
    return found


def connectors(home: Path, schemes: Iterable[str], fetch: Fetch | None = None) -> list[Path]:
    """Return the jars for the schemes of addresses, fetched into `home` where they are missing.

    Raises
    ------
    SetupError
        LL-SETUP-001 without a JDK, LL-SETUP-002 where they can't be fetched, LL-SETUP-007 where one is not what is
        pinned.
    """
    pinned, found = locked(), list[Path]()
    for folder in dict.fromkeys(each for scheme in sorted(schemes) for each in FOLDERS.get(scheme, ())):
        place(home / folder, pinned[folder], fetch)
        found += [home / folder / jar.file for jar in pinned[folder]]
    return found


def reach(session: SparkSession, words: Mapping[str, str]) -> None:
    """Set Hadoop's settings in a running Spark: what is opened from now on goes by them."""
    context: Any = session.sparkContext
    hadoop = context._jsc.hadoopConfiguration()
    for name, value in words.items():
        hadoop.set(name, value)
