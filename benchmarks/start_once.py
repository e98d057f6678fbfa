"""One start in a process of its own: ``python -m benchmarks.start_once FOLDER`` prints a line of JSON."""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

from lakeloom.session.spark import open_session, step_session

MERGE = (
    "MERGE INTO delta.`{path}` t USING news s ON t.id = s.id "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
)


def main(folder: Path) -> None:
    """Open the session, write a Delta table of 1,000 rows, merge 1,000 into it."""
    moments = [time.perf_counter()]
    path = str(folder / "table")
    spark = open_session()
    moments.append(time.perf_counter())
    with step_session(spark) as session:
        session.range(1000).selectExpr("id", "id % 7 AS part").write.format("delta").save(path)
        moments.append(time.perf_counter())
    with step_session(spark) as session:
        session.range(500, 1500).selectExpr("id", "id % 5 AS part").createOrReplaceTempView("news")
        session.sql(MERGE.format(path=path))
        moments.append(time.perf_counter())
    spark.stop()
    seconds = [round(end - start, 3) for start, end in itertools.pairwise(moments)]
    print(json.dumps(dict(zip(("session", "write", "merge"), seconds, strict=True))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
