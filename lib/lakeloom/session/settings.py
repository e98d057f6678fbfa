"""The settings of a Spark session, as plain text: defaults, those of one machine or of a cluster, the overlay's.

Delta's two jars are enough and stand on the driver's class path (no resolution, no network). On a
laptop the costs are JVM start, class loading and Delta's 50 snapshot partitions; each has its
setting here. On a cluster the jars travel to the executors (``spark.jars``), and nothing is bound to
the loopback address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from lakeloom.config.placeholders import resolve
from lakeloom.core.errors import ConfigError, SetupError
from lakeloom.core.secrets import Secret
from lakeloom.session.jars import brought, spark_line
from lakeloom.session.jars import jars_home as jars_home

ARCHIVE = "classes.jsa"
_GET_JARS = "run 'make setup' in a checkout, 'lakeloom doctor --fix' elsewhere, or name their folder by LAKELOOM_JARS"
DELTA = ("delta-spark_", "delta-storage-")
DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
# How often a task is tried, as on a cluster: on one machine Spark would not do it again, and a part of a database
# whose connection was lost is a task.
TRIES = 4
# What every step's session has, whoever opened the application: the same rows everywhere.
NEEDED = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}


def class_path(home: Path) -> str:
    """Return the class path of all jars under `home`, empty where Spark itself brings Delta and `home` has none.

    Raises
    ------
    SetupError
        LL-SETUP-002 where Delta's jars are missing, or are for another release line of Spark.
    """
    jars = sorted(home.glob("*.jar"))
    for prefix in () if brought() else DELTA:
        if not any(jar.name.startswith(prefix) for jar in jars):
            raise SetupError("LL-SETUP-002", f"no {prefix}*.jar in {home}", fix=_GET_JARS)
    line = spark_line()
    for jar in jars:
        made_for = re.match(r"delta-spark_(\d+\.\d+)_", jar.name)
        if line and made_for and made_for.group(1) != line:
            raise SetupError(
                "LL-SETUP-002", f"{jar.name} in {home} is not for the installed Spark {line}", fix=_GET_JARS
            )
    return ":".join(str(jar) for jar in jars)


# The compiler's last tier costs a short run an eighth of its time, and takes a quarter off one with a million rows:
# it is kept for what runs ten times as often as the JVM itself asks for.
_HOT = {
    "InvocationThreshold": 50_000,
    "MinInvocationThreshold": 6_000,
    "CompileThreshold": 150_000,
    "BackEdgeThreshold": 400_000,
}

# Spark makes one method of a whole stage. The JVM leaves one of 8,000 bytes to its interpreter, which twenty rules or
# a table of a hundred columns pass: their rows then cost four times as much.
_HUGE = "-XX:-DontCompileHugeMethods"


def java_options(home: Path) -> str:
    """Return the JVM's options: how it compiles, UTC, and the class-data archive where it was made."""
    options = [
        *(f"-XX:Tier4{name}={number}" for name, number in _HOT.items()),
        _HUGE,
        # Compiled code that fills its room switches the compiler off: a long run needs more than the default.
        "-XX:ReservedCodeCacheSize=240m",
        # The JVM's own warnings would otherwise stand on standard output, in the midst of a JSON document.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        # A core is the memory itself, with all the secrets in it.
        "-XX:-CreateCoredumpOnCrash",
        "-XX:+UseSerialGC",
        "-Duser.timezone=UTC",
        "-Dderby.stream.error.file=/dev/null",
    ]
    if not os.environ.get("LAKELOOM_DEBUG"):
        # Spark's own log may quote a row's values: it speaks only when it is asked to.
        options.append(f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}")
    archive = home / ARCHIVE
    if archive.exists():
        options += [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    return " ".join(options)


class Hidden(str):
    """A setting that is a secret: told to the running JVM, and never on its command line, which everybody sees."""

    __slots__ = ()


def overlay_of(spark: Mapping[str, object]) -> dict[str, str]:
    """Return an environment's ``spark:`` section as plain text, its variables and secrets resolved.

    What is or holds a secret is a `Hidden`.

    Raises
    ------
    ConfigError
        LL-CONF-008 where a variable or a secret is not set.
    """
    return {key: _text(resolve(value, f"spark.{key}")) for key, value in spark.items()}


def _text(value: object) -> str:
    if isinstance(value, Secret):
        return Hidden(value.reveal())
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_local(master: str) -> bool:
    """Return whether driver and executors are one process."""
    return master.startswith("local") and not master.startswith("local-cluster")


def settings(home: Path, overlay: Mapping[str, str] | None = None, more: Sequence[Path] = ()) -> dict[str, str]:
    """Return the session's settings: the defaults, overridden by `overlay`.

    Parameters
    ----------
    more : sequence of Path
        Jars that stand on the driver's class path behind Delta's and before Spark's own; on one machine alone.

    Raises
    ------
    ConfigError
        LL-CONF-004 for a secret in what the JVM is started with.
    """
    chosen = {"spark.master": f"local[2,{TRIES}]"} | dict(overlay or {})
    local = is_local(chosen["spark.master"])
    made = _everywhere(home) | (_ONE_MACHINE if local else _cluster(home)) | chosen
    if more and local:
        made["spark.driver.extraClassPath"] = ":".join(
            filter(None, [made["spark.driver.extraClassPath"], *map(str, more)])
        )
    for key in _LAUNCHED:
        if isinstance(made.get(key), Hidden):
            raise ConfigError(
                "LL-CONF-004", "it stands on the command line of Spark's JVM, which everybody sees, and has a secret",
                where=f"spark.{key}", fix="let the JVM read it from a file, or from the variable JDK_JAVA_OPTIONS",
            )  # fmt: skip
    hidden = [re.escape(key.removeprefix(_HADOOP)) for key, value in made.items() if isinstance(value, Hidden)]
    if hidden:
        # Whatever it is called: Spark's pages, its event log and SET show it as redacted.
        made[_REDACTED] += f"|^({re.escape(_HADOOP)})?({'|'.join(hidden)})$"
    return {key: value for key, value in made.items() if value or key not in _PATHS}


_HADOOP = "spark.hadoop."
# What a JVM is started with, and can't be told later.
_LAUNCHED = ("spark.driver.extraJavaOptions", "spark.driver.defaultJavaOptions", "spark.driver.extraClassPath",
             "spark.driver.extraLibraryPath", "spark.driver.memory")  # fmt: skip
_REDACTED = "spark.redaction.regex"
_PATHS = ("spark.driver.extraClassPath", "spark.jars")  # where Spark brings Delta there is nothing to add
_ONE_MACHINE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


def _cluster(home: Path) -> dict[str, str]:
    return {
        "spark.jars": class_path(home).replace(":", ","),
        "spark.executor.extraJavaOptions": f"{_HUGE} -Duser.timezone=UTC -Dderby.stream.error.file=/dev/null",
    }


def _everywhere(home: Path) -> dict[str, str]:
    return {
        "spark.driver.memory": "3g",
        "spark.driver.extraClassPath": class_path(home),
        "spark.driver.extraJavaOptions": java_options(home),
        "spark.sql.extensions": DELTA_EXTENSION,
        "spark.sql.catalog.spark_catalog": DELTA_CATALOG,
        **NEEDED,
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.databricks.delta.stats.collect": "true",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # PySpark asks the JVM thrice for each word of an expression to say later on which line it stood: two thirds
        # of a step's plan.
        "spark.python.sql.dataFrameDebugging.enabled": "true" if os.environ.get("LAKELOOM_DEBUG") else "false",
        # Small partitions are joined by hash instead of being sorted first.
        "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "64m",
        # What is kept is read once or twice in its step: packing it costs more than it saves, a third of a landing.
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.redaction.string.regex": "(?i)(password|passwd|pwd|secret|token)\\s*[=:]\\s*[^\\s,;)&]+",
        _REDACTED: "(?i)secret|password|token|signature|credential|url|(access|account|encryption|api)[.]?key",
        "spark.scheduler.mode": "FAIR",
    }
