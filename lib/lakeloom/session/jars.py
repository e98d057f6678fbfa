"""Jars that Spark lacks, Delta's two above all: where they lie, and how they get there.

A checkout's set-up has put them into ``environment/jars``. Where lakeloom was installed from a wheel
they are fetched once into the user's cache, each alone (their declared dependencies would bring a
second Hadoop and a second Parquet) and only if it is, byte for byte, what is pinned here. Spark ships
Ivy, which knows the central repository; ``LAKELOOM_IVY_SETTINGS`` names the settings of a mirror.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from lakeloom.core.errors import SetupError

TIMEOUT_S = 600
Fetch = Callable[[Sequence["Jar"], Path], None]


@dataclass(frozen=True)
class Jar:
    """A jar: its Maven coordinates and its sha256."""

    name: str
    version: str
    sha256: str
    organisation: str = "io.delta"
    classifier: str = ""

    @property
    def file(self) -> str:
        """The jar's file name."""
        return f"{self.name}-{self.version}{f'-{self.classifier}' if self.classifier else ''}.jar"


_STORAGE = Jar("delta-storage", "4.4.0", "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc")
# Spark's release line → Delta for it.
DELTA_FOR: dict[str, Jar] = {
    "4.0": Jar(
        "delta-spark_4.0_2.13", "4.4.0", "49e899667168b9412f83cbe894ce264107d7b896d6c5e12edca4e216845c1104"
    ),
    "4.1": Jar(
        "delta-spark_4.1_2.13", "4.4.0", "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10"
    ),
    "4.2": Jar(
        "delta-spark_4.2_2.13", "4.4.0", "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead"
    ),
}  # fmt: skip


def spark_line() -> str | None:
    """Return the release line of the installed pyspark, such as ``4.0``; None where it is no package."""
    try:
        return ".".join(version("pyspark").split(".")[:2])
    except PackageNotFoundError:
        return None


def jars_home() -> Path:
    """Return the folder of the jars.

    ``LAKELOOM_JARS``; else ``environment/jars`` of the checkout, where its set-up has made that for the
    installed pyspark; else a folder of the user's cache, one for each release line of Spark and of Delta.
    """
    named = os.environ.get("LAKELOOM_JARS")
    if named:
        return Path(named)
    line = spark_line()
    checkout = Path(__file__).resolve().parents[3] / "environment" / "jars"
    if any(checkout.glob(f"delta-spark_{line or '*'}_*.jar")):
        return checkout
    cache = os.environ.get("XDG_CACHE_HOME")
    home = Path(cache) if cache else Path.home() / ".cache"
    return home / "lakeloom" / "jars" / f"spark-{line}-delta-{_STORAGE.version}"


def brought() -> bool:
    """Return whether Spark's own distribution brings Delta, so that nothing is to be added to it."""
    return any(_distribution().glob("delta-spark*.jar"))


def supplied(home: Path, fetch: Fetch | None = None) -> Path:
    """Return `home` with Delta's jars in it, fetched where it is the cache's folder and lacks one.

    A folder that somebody named or set up is taken as it is.

    Raises
    ------
    SetupError
        LL-SETUP-001 without a JDK, LL-SETUP-002 where there is no Delta for this Spark or it can't be
        fetched, LL-SETUP-007 where a fetched jar is not what is pinned; nothing of it is kept.
    """
    line = spark_line()
    if brought() or home.name != f"spark-{line}-delta-{_STORAGE.version}":
        return home
    if line not in DELTA_FOR:
        raise SetupError(
            "LL-SETUP-002",
            f"no Delta is known for Spark {line}; it is for {', '.join(DELTA_FOR)}",
            fix=f"pip install 'pyspark=={max(DELTA_FOR)}.*', or put Delta's jars for it into a folder "
            "and name that by LAKELOOM_JARS",
        )
    place(home, (DELTA_FOR[line], _STORAGE), fetch)
    return home


def place(home: Path, jars: Sequence[Jar], fetch: Fetch | None = None) -> None:
    """Put those of the jars into a folder that are not there; raises as `supplied`."""
    wanted = [jar for jar in jars if not (home / jar.file).exists()]
    if not wanted:
        return
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".fetching-") as made:
        (fetch or by_ivy)(wanted, Path(made))
        for jar in wanted:
            _require(Path(made) / jar.file, jar)
            # Whole or not there, also where two processes fetch at once.
            (Path(made) / jar.file).replace(home / jar.file)


def by_ivy(wanted: Sequence[Jar], folder: Path) -> None:
    """Fetch jars into `folder` by Spark's own Ivy, with an empty cache of its own."""
    ivy = next(_distribution().glob("ivy-2*.jar"), None)
    if ivy is None:
        raise _unreachable("Spark's distribution has no Ivy")
    asked = folder / "ivy.xml"
    asked.write_text(module(wanted), encoding="utf-8")
    command: list[str | Path] = [java(), "-jar", ivy, "-warn", "-cache", folder / "cache", "-ivy", asked]
    pattern = f"{folder}/[artifact]-[revision](-[classifier]).[ext]"
    command += ["-types", "jar", "-confs", "default", "-retrieve", pattern]
    settings = os.environ.get("LAKELOOM_IVY_SETTINGS")
    command += ["-settings", settings] if settings else []
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise _unreachable(f"the repository did not answer within {TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise _unreachable("the repository could not be reached or does not have them")


def module(wanted: Sequence[Jar]) -> str:
    """Return the Ivy module that asks for these jars and nothing else."""
    lines = [
        f'<dependency org="{jar.organisation}" name="{jar.name}" rev="{jar.version}" conf="default->default"'
        f' transitive="false">{_artifact(jar)}</dependency>'
        for jar in wanted
    ]
    return (
        f'<ivy-module version="2.0" {_CLASSIFIED}><info organisation="lakeloom" module="jars"/>'
        f'<configurations><conf name="default"/></configurations><dependencies>{"".join(lines)}</dependencies>'
        "</ivy-module>"
    )


_CLASSIFIED = 'xmlns:m="http://ant.apache.org/ivy/maven"'


def _artifact(jar: Jar) -> str:
    named = f'name="{jar.name}" type="jar" ext="jar"'
    return f'<artifact {named} m:classifier="{jar.classifier}"/>' if jar.classifier else ""


def java() -> str:
    """Return the Java program that Spark will take: of ``JAVA_HOME``, else on ``PATH``; raises LL-SETUP-001."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if program is None or not Path(program).exists():
        raise SetupError(
            "LL-SETUP-001",
            "no java was found",
            fix="install a JDK 17 (Debian: openjdk-17-jdk-headless) or set JAVA_HOME",
        )
    return program


def _distribution() -> Path:
    """Return the folder of Spark's own jars: of ``SPARK_HOME``, else of the installed pyspark."""
    named = os.environ.get("SPARK_HOME")
    if named:
        return Path(named) / "jars"
    found = find_spec("pyspark")
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0] if places else ".") / "jars"


def _require(file: Path, jar: Jar) -> None:
    if not file.exists():
        raise _unreachable(f"{jar.file} did not come")
    if hashlib.sha256(file.read_bytes()).hexdigest() != jar.sha256:
        raise SetupError(
            "LL-SETUP-007",
            f"{jar.organisation}:{jar.name}:{jar.version} is not what its checksum says; it was not kept",
            fix="check the network or the mirror that LAKELOOM_IVY_SETTINGS names, then try again",
        )


def _unreachable(why: str) -> SetupError:
    return SetupError(
        "LL-SETUP-002",
        f"jars for Spark could not be fetched: {why}",
        fix="see to the network, name a mirror by LAKELOOM_IVY_SETTINGS (Ivy's settings file), "
        "or put the jars into a folder and name that by LAKELOOM_JARS; then 'lakeloom doctor --fix'",
    )
