"""What Spark needs to read and write object stores itself: Hadoop's connectors, each kind's jars and settings.

A kind's jars are fetched once, when a project first needs them, into a folder of its own beside Delta's. They stand
on the driver's class path before Spark's own; a cluster has connectors of its own, and is left as it is.

Secrets go into the running Spark's Hadoop settings, never on its command line, which everybody on the machine sees.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakeloom.core.errors import SetupError
from lakeloom.session.jars import TIMEOUT_S, Fetch, Jar, java, place

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Scheme of an address → the folders of its jars. 'hadoop' is a newer Hadoop than Spark's: see connectors.lock.
# Scheme → the setting that names Delta's way to commit, and the class.
COMMITS = {"s3": "spark.delta.logStore.s3a.impl", "s3a": "spark.delta.logStore.s3a.impl"}
COMMITS_BY = "lakeloom.ConditionalLogStore"
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
    schemes = set(schemes)
    for folder in dict.fromkeys(each for scheme in sorted(schemes) for each in FOLDERS.get(scheme, ())):
        place(home / folder, pinned[folder], fetch)
        found += [home / folder / jar.file for jar in pinned[folder]]
    if schemes & set(COMMITS):
        found.append(compiled(home, found))
    return found


def compiled(home: Path, jars: Iterable[Path]) -> Path:
    """Return the folder with our own class for Delta's commits on S3, made by the JDK's compiler where it is missing.

    Raises
    ------
    SetupError
        LL-SETUP-001 where there is no JDK, but a runtime without a compiler.
    """
    source = Path(__file__).with_name("java") / "ConditionalLogStore.java"
    folder = home / "s3" / f"commits-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    needed = [*jars, *home.glob("delta-storage-*.jar")]
    with tempfile.TemporaryDirectory(dir=home, prefix=".compiling-") as made:
        command = [java(), "-m", "jdk.compiler/com.sun.tools.javac.Main", "-nowarn", "--release", "17"]
        command += ["-cp", ":".join(map(str, needed)), "-d", f"{made}/classes", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise SetupError(
                "LL-SETUP-001",
                "what makes commits on S3 safe could not be compiled: this is no JDK"
                if "jdk.compiler" in done.stderr
                else "what makes commits on S3 safe could not be compiled",
                fix="install a JDK 17 (Debian: openjdk-17-jdk-headless), and name it by JAVA_HOME",
            )
        with suppress(OSError):  # another process was quicker
            (Path(made) / "classes").replace(folder)
    return folder


def reach(session: SparkSession, words: Mapping[str, str]) -> None:
    """Set Hadoop's settings in a running Spark: what is opened from now on goes by them."""
    context: Any = session.sparkContext
    hadoop = context._jsc.hadoopConfiguration()
    for name, value in words.items():
        hadoop.set(name, value)
