"""Run what a first run loads, in a JVM that writes its class-data archive when it ends.

Usage: ``python warm_up.py ARCHIVE``. Session, Delta write, merge and read, JDBC with Derby, and the
file formats; the data is a handful of rows in a temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lakeloom.session.settings import jars_home, java_options
from lakeloom.session.spark import open_session, step_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DERBY = "org.apache.derby.iapi.jdbc.AutoloadedDriver"
MERGE = (
    "MERGE INTO delta.`{path}` t USING news s ON t.id = s.id "
    "WHEN MATCHED AND s.at > t.at THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
)


def tables(spark: SparkSession, folder: Path) -> None:
    """Write, append to, merge into and read back a Delta table, one session a step."""
    path = str(folder / "table")
    rows = "SELECT id, concat('n', id) AS name, current_timestamp() AS at, id % 3 AS part FROM range({}, {})"
    with step_session(spark, {"spark.databricks.delta.commitInfo.userMetadata": "warm"}) as session:
        session.sql(rows.format(0, 50)).write.format("delta").save(path)
        session.sql(rows.format(50, 60)).write.format("delta").mode("append").save(path)
    with step_session(spark) as session:
        session.sql(rows.format(40, 90)).createOrReplaceTempView("news")
        session.sql(MERGE.format(path=path))
        read = session.read.format("delta").option("versionAsOf", 1).load(path)
        read.createOrReplaceTempView("old")
        session.sql(
            "SELECT part, count(*) AS n, avg(id) OVER (PARTITION BY part) AS mean, max_by(name, at) AS last "
            "FROM old JOIN range(30) r USING (id) GROUP BY part, id ORDER BY part"
        ).toArrow()
        session.sql(f"DESCRIBE HISTORY delta.`{path}`").collect()


def files(frame: DataFrame, folder: Path) -> None:
    """Write and read back every file format."""
    spark = frame.sparkSession
    for kind, options in {
        "csv": {"header": "true", "compression": "gzip"},
        "json": {},
        "parquet": {},
        "xml": {"rowTag": "row"},
    }.items():
        path = str(folder / kind)
        frame.write.format(kind).options(**options).save(path)
        reader = spark.read.schema("id bigint, name string, _broken string")
        reader = reader.options(**options).option("columnNameOfCorruptRecord", "_broken")
        reader.format(kind).load(path).selectExpr("*", "_metadata.file_path").collect()


def database(frame: DataFrame, folder: Path) -> None:
    """Write to and read from an embedded Derby."""
    options = {"url": f"jdbc:derby:{folder / 'db'};create=true", "driver": DERBY, "dbtable": "warm"}
    frame.write.format("jdbc").options(**options).save()
    bounds = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "9", "numPartitions": "2"}
    frame.sparkSession.read.format("jdbc").options(**options, **bounds).load().collect()


def main(archive: Path) -> None:
    """Warm up and wait until the JVM has written `archive`."""
    from pyspark import SparkContext

    dump = f"{java_options(jars_home())} -XX:ArchiveClassesAtExit={archive} -Xlog:cds=off -Xlog:cds+dynamic=off"
    spark = open_session({"spark.driver.extraJavaOptions": dump}, name="warm-up")
    with tempfile.TemporaryDirectory(prefix="lakeloom-warm-up-") as made:
        folder = Path(made)
        frame = spark.range(10).selectExpr("id", "concat('n', id) AS name")
        tables(spark, folder)
        files(frame, folder)
        database(frame, folder)
        gateway = SparkContext._gateway
        spark.stop()
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()  # the JVM ends when its input does
        if gateway.proc.wait(timeout=300) != 0:
            sys.exit("the JVM did not end well; its archive can't be trusted")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
