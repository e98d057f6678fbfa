"""What has landed of a database, as the runner would keep it."""

import json
from datetime import UTC, datetime
from pathlib import Path

from lakeloom.sources.jdbc import Jdbc, JdbcConfig

CLOCK = datetime(2026, 1, 1, tzinfo=UTC)


class Bronze:
    """What has landed of a source, as the runner would keep it."""

    def __init__(self, spark, database, **more):
        self.spark, self.batches, self.frame = spark, [], None
        self.config = JdbcConfig.model_validate(database.config | more)

    def poll(self):
        """Return the next batch as an intent would keep it."""
        batch = Jdbc.poll(self.config, self.batches, CLOCK, lambda: self.spark, Path())
        return None if batch is None else json.loads(json.dumps(batch))

    def land(self, *, grown=False):
        """Poll, read and keep; the new rows, None where nothing is new. `grown` says that columns were added."""
        from pyspark.sql import functions as F

        batch = self.poll()
        if batch is None:
            return None
        landing = Jdbc.read(self.spark.newSession(), self.config, batch, self.frame, Path())
        self.batches.append(batch)
        position = F.expr(f"named_struct('epoch', {len(self.batches)}L, 'file', _file_no, 'record', _record)")
        rows = landing.good.withColumn("_position", position).drop("_file_no", "_record")
        with landing.around:
            kept = self.spark.createDataFrame(rows.collect(), rows.schema)
        self.frame = kept if self.frame is None else self.frame.unionByName(kept, allowMissingColumns=grown)
        return [row.asDict() for row in kept.collect()]

    def ids(self):
        return sorted(row["id"] for row in self.frame.collect())
