"""The flights pipeline up to gold as somebody would write it by hand: plain PySpark and Delta, nothing of lakeloom.

``python -m benchmarks.by_hand LANDING ROOT``. It does the same reads, writes and merges as ``lakeloom run``
on the demo's sources, silver and gold tables, with the same SQL and the same Spark settings: new files
append to bronze, their rows merge into silver by key, gold is overwritten. It has no contract, rule,
quarantine, manifest or lineage, and a crash in it leaves what it leaves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakeloom.session.settings import jars_home, settings

SQL = Path(__file__).resolve().parents[1] / "conf" / "flights" / "sql"
# Each is made of the bronze table of its own name, and merged by these keys.
SILVER = {
    "airports": ["airport"],
    "airlines": ["carrier"],
    "planes": ["tailnum"],
    "weather": ["origin", "observed_at"],
    "flights": ["flight_date", "carrier", "flight", "origin"],
}
GOLD = ("route_delays", "airport_hours", "flight_plan")


class Pipeline:
    """One run of the pipeline over a landing folder and a folder of tables."""

    def __init__(self, spark: SparkSession, landing: Path, root: Path) -> None:
        self.spark, self.landing, self.root = spark, landing, root
        self.ledger = root / "ledger.json"
        self.seen: list[str] = json.loads(self.ledger.read_text()) if self.ledger.exists() else []
        self.run = len({name.partition(" ")[0] for name in self.seen}) + 1

    def path(self, layer: str, name: str) -> str:
        """Return where a table lies."""
        return str(self.root / layer / name)

    def new_files(self, pattern: str) -> list[str]:
        """Return the files that no run has read."""
        done = {name.partition(" ")[2] for name in self.seen}
        found = [str(file) for file in sorted(self.landing.glob(pattern)) if str(file) not in done]
        self.seen += [f"{self.run} {file}" for file in found]
        return found

    def land(self, name: str, rows: DataFrame) -> None:
        """Append rows to bronze with where and when they came from."""
        place = F.struct(
            F.lit(self.run).cast("bigint").alias("epoch"),
            F.lit(0).alias("file"),
            F.monotonically_increasing_id().alias("record"),
        )
        stamped = rows.select(
            place.alias("_position"), "*", F.lit(name).alias("_source"), F.current_timestamp().alias("_ingested_at")
        )
        stamped.write.format("delta").mode("append").save(self.path("bronze", name))

    def bronze(self) -> None:
        """Land what is new of the five sources."""
        file = F.col("_metadata.file_path").alias("_file")
        if files := self.new_files("flights/*.csv.gz"):
            self.land("flights", self.spark.read.option("header", True).csv(files).select("*", file))
        if files := self.new_files("weather/*.jsonl"):
            rows = self.spark.read.option("primitivesAsString", True).json(files)
            self.land("weather", rows.select("*", file))
        if files := self.new_files("airports/*.parquet"):
            self.land("airports", self.spark.read.parquet(*files).select("*", file))
        if files := self.new_files("airlines/*.xml"):
            rows = self.spark.read.format("xml").option("rowTag", "airline").load(files[0])
            self.land("airlines", rows.withColumn("_file", F.lit(files[0])))
        self.planes()

    def planes(self) -> None:
        """Read the register by its watermark with a day's overlap, in two partitions."""
        known = None
        window = "1 = 1"
        if (self.root / "bronze" / "planes").exists():
            known = self.spark.read.format("delta").load(self.path("bronze", "planes"))
            last = known.agg(F.max("updated_at") - F.expr("interval 1 day")).first()
            window = f"UPDATED_AT >= TIMESTAMP('{last[0]:%Y-%m-%d %H:%M:%S}')" if last else window
        rows = self.spark.read.jdbc(
            f"jdbc:derby:{self.landing}/fleet",
            "PLANES",
            predicates=[f"({window}) AND (SEATS < 200 OR SEATS IS NULL)", f"({window}) AND SEATS >= 200"],
            properties={"driver": "org.apache.derby.iapi.jdbc.AutoloadedDriver"},
        )
        rows = rows.toDF(*[name.lower() for name in rows.columns])
        if known is not None:
            rows = rows.join(known.select("tailnum", "updated_at"), ["tailnum", "updated_at"], "left_anti")
        self.land("planes", rows.withColumn("_file", F.lit("PLANES")))

    def view(self, layer: str, name: str, condition: str = "true") -> None:
        """Give a table the name by which the SQL reads it."""
        rows = self.spark.read.format("delta").load(self.path(layer, name)).where(condition)
        rows.createOrReplaceTempView(f"{layer}__{name}")

    def query(self, layer: str, name: str) -> DataFrame:
        """Return the rows of a table's SQL."""
        text = (SQL / f"{layer}_{name}.sql").read_text()
        for other in ("bronze", "silver"):
            text = text.replace(f"{other}.", f"{other}__")
        return self.spark.sql(text)

    def silver(self) -> None:
        """Merge the new rows of bronze by key."""
        for name, keys in SILVER.items():
            self.view("bronze", name, f"_position.epoch >= {self.run}")
            rows = self.query("silver", name)
            newest = rows.groupBy(*keys).agg(F.max_by(F.struct(*rows.columns), "_position").alias("row"))
            rows = newest.select("row.*")
            path = self.path("silver", name)
            if not DeltaTable.isDeltaTable(self.spark, path):
                rows.write.format("delta").save(path)
            else:
                same = " AND ".join(f"t.{key} <=> s.{key}" for key in keys)
                target = DeltaTable.forPath(self.spark, path).alias("t")
                merge = target.merge(rows.alias("s"), same).whenMatchedUpdateAll("s._position >= t._position")
                merge.whenNotMatchedInsertAll().execute()
            self.view("silver", name)

    def gold(self) -> None:
        """Build the gold tables anew."""
        for name in GOLD:
            writer = self.query("gold", name).write.format("delta").mode("overwrite")
            writer.option("overwriteSchema", "true").save(self.path("gold", name))

    def close(self) -> None:
        """Remember which files were read."""
        self.ledger.write_text(json.dumps(self.seen))


def spark_of() -> SparkSession:
    """Start Spark with the settings that lakeloom has on one machine: what is compared is the work, not the JVM."""
    builder = SparkSession.builder.appName("by hand")
    for key, value in settings(jars_home()).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def main() -> None:
    """Run the pipeline once."""
    landing, root = (Path(argument).resolve() for argument in sys.argv[1:3])
    root.mkdir(parents=True, exist_ok=True)
    pipeline = Pipeline(spark_of(), landing, root)
    pipeline.bronze()
    pipeline.silver()
    pipeline.gold()
    pipeline.close()


if __name__ == "__main__":
    main()
