"""The settings of a Spark session, as plain text: defaults for one machine, then the overlay's.

Delta's two jars are enough and stand on the driver's class path (no resolution, no network). On a
laptop the costs are JVM start, class loading and Delta's 50 snapshot partitions; each has its
setting here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lakeloom.core.errors import SetupError

ARCHIVE = "classes.jsa"
DELTA = ("delta-spark_", "delta-storage-")


def jars_home() -> Path:
    """Return the folder of the fetched jars: ``LAKELOOM_JARS``, or ``environment/jars`` of the checkout."""
    named = os.environ.get("LAKELOOM_JARS")
    return Path(named) if named else Path(__file__).resolve().parents[3] / "environment" / "jars"


def class_path(home: Path) -> str:
    """Return the class path of all jars under `home`; raises LL-SETUP-002 where Delta's are missing."""
    jars = sorted(home.glob("*.jar"))
    for prefix in DELTA:
        if not any(jar.name.startswith(prefix) for jar in jars):
            raise SetupError("LL-SETUP-002", f"no {prefix}*.jar in {home}", fix="run 'make setup' or set LAKELOOM_JARS")
    return ":".join(str(jar) for jar in jars)


def java_options(home: Path) -> str:
    """Return the JVM's options: quick compilation, UTC, and the class-data archive where it was made."""
    options = [
        "-XX:TieredStopAtLevel=1",
        # One tier reserves 48 MiB for compiled code by default: a long run fills it, and the compiler is switched off.
        "-XX:ReservedCodeCacheSize=240m",
        # The JVM's own warnings would otherwise stand on standard output, in the midst of a JSON document.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
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


def settings(home: Path, overlay: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the session's settings: the local defaults, overridden by `overlay`."""
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": "3g",
        "spark.driver.extraClassPath": class_path(home),
        "spark.driver.extraJavaOptions": java_options(home),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.databricks.delta.stats.collect": "true",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Small partitions are joined by hash instead of being sorted first.
        "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "64m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.redaction.string.regex": "(?i)(password|passwd|pwd|secret|token)\\s*[=:]\\s*[^\\s,;)&]+",
        "spark.redaction.regex": "(?i)secret|password|token|access[.]key|api[.]?key|credential|url",
        "spark.scheduler.mode": "FAIR",
    } | dict(overlay or {})
