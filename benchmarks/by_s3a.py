"""Small CSV objects of S3 into a Delta table, as a script with Spark alone does it: one read over S3A, one write.

``python -m benchmarks.by_s3a STORE.json ADDRESS TABLE``: the store's settings, which objects, where the table is made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from lakeloom.objects.translated import hadoop
from lakeloom.session.connectors import connectors
from lakeloom.session.jars import jars_home
from lakeloom.session.settings import DELTA_CATALOG, DELTA_EXTENSION, class_path


def main(stores: str, source: str, table: str) -> None:
    """Read and write."""
    address = Address.parse(source)
    jars = [class_path(jars_home()), *map(str, connectors(jars_home(), ["s3"]))]
    words = {
        "spark.master": "local[2]",
        "spark.driver.memory": "3g",
        "spark.driver.extraClassPath": ":".join(jars),
        "spark.sql.extensions": DELTA_EXTENSION,
        "spark.sql.catalog.spark_catalog": DELTA_CATALOG,
        "spark.ui.enabled": "false",
    }
    for name, value in hadoop(opening(address, json.loads(Path(stores).read_text()))).items():
        words[f"spark.hadoop.{name}"] = value
    builder = SparkSession.builder.appName("by_s3a")
    for name, value in words.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    rows = spark.read.option("header", "true").csv(source.replace("s3://", "s3a://"))
    rows.withColumn("_file", F.input_file_name()).write.format("delta").save(table)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
