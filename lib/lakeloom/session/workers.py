"""The workers of a cluster: they get the driver's own code, and one with another release is refused.

On one machine the workers are the driver's children and import what it imports. On a cluster the
package travels as a zip file (as by ``--py-files``), so that both sides run the same code. Where the
overlay or spark-submit brings Python files or archives of its own, nothing is sent: then the release
that is installed there must be the driver's.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.core.errors import SetupError
from lakeloom.core.release import RELEASE

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# With one of these the user says which code the workers have.
_OWN = ("spark.submit.pyFiles", "spark.archives", "spark.yarn.dist.archives", "spark.kubernetes.file.upload.path")


def equip(spark: SparkSession) -> None:
    """Give the workers of a cluster the driver's code, and make sure that they run its release.

    Raises
    ------
    SetupError
        LL-SETUP-009 where a worker has another release of lakeloom, or none.
    """
    context = spark.sparkContext
    given = context.getConf()
    if not any(given.get(name) for name in _OWN):
        context.addPyFile(str(packed()))
    require_same(_releases(spark))


@cache
def packed() -> Path:
    """Return the package as a zip file, packed once and removed when this process ends."""
    folder = tempfile.mkdtemp(prefix="lakeloom-code-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return pack(Path(folder))


def pack(folder: Path) -> Path:
    """Write the package's files into ``<folder>/lakeloom.zip`` and return its path."""
    package = Path(__file__).resolve().parents[1]
    place = folder / "lakeloom.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(package.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, str(Path("lakeloom") / file.relative_to(package)))
    return place


def require_same(found: Iterable[tuple[str, str]]) -> None:
    """Raise LL-SETUP-009 where one of (host, release) is not the driver's release."""
    strangers = sorted({(host, release) for host, release in found if release != RELEASE})
    if strangers:
        there = ", ".join(f"{host} has {release or 'none'}" for host, release in strangers)
        raise SetupError(
            "LL-SETUP-009",
            f"the driver runs lakeloom {RELEASE}, but {there}",
            fix="install one release on both sides, or leave spark.submit.pyFiles and spark.archives out: "
            "the driver's code is sent then",
        )


def _releases(spark: SparkSession) -> list[tuple[str, str]]:
    """Return (host, release) of as many tasks as there are slots."""
    slots = max(spark.sparkContext.defaultParallelism, 1)

    # Inside, so that it travels by value: a worker without lakeloom could not import it.
    def release(rows: Iterator[int]) -> Iterator[tuple[str, str]]:
        import importlib
        import socket

        for _ in rows:
            try:
                found = importlib.import_module("lakeloom").__version__
            except ImportError:
                found = ""
            yield socket.gethostname(), found

    found: list[tuple[str, str]] = spark.sparkContext.parallelize(range(slots), slots).mapPartitions(release).collect()
    return found
