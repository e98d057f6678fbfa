"""One day of orders by lakehouse-engine: ingest, transforms, rules, merge, an aggregate. Run in its environment.

``python by_engine.py LANDING ROOT DAY JARS``. Nothing of lakeloom is imported. Each part is what its own
documentation shows for it: a batch read of the day's folder appended to bronze; bronze filtered to the day,
cast and cleaned by its transformers, the newest row of a key by ``group_and_rank``, ten expectations by its
validator, a merge into silver; an aggregate in SQL that overwrites gold.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

EXPECTATIONS: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_not_be_null", {"column": "customer_id"}),
    (
        "expect_column_values_to_be_in_set",
        {"column": "status", "value_set": ["new", "paid", "shipped", "returned"]},
    ),
    ("expect_column_value_lengths_to_equal", {"column": "country", "value": 2}),
    ("expect_column_values_to_be_in_set", {"column": "currency", "value_set": ["EUR", "USD", "GBP"]}),
    ("expect_column_values_to_match_regex", {"column": "email", "regex": "^[^@]+@[^@]+$"}),
    ("expect_column_values_to_be_between", {"column": "quantity", "min_value": 1, "max_value": 100}),
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": 0, "max_value": 100000}),
    ("expect_column_values_to_not_be_null", {"column": "ordered_at"}),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "changed_at", "column_B": "ordered_at", "or_equal": True},
    ),
    ("expect_column_value_lengths_to_be_between", {"column": "note", "min_value": 1, "max_value": 200}),
]
CASTS = {
    "order_id": "LongType", "customer_id": "LongType", "quantity": "IntegerType", "ordered_at": "TimestampType",
    "changed_at": "TimestampType",
}  # fmt: skip
CLEAN = {
    "status": "lower(trim(status))", "country": "upper(country)", "email": "lower(email)",
    "amount": "cast(amount as decimal(12,2))",
}  # fmt: skip
REVENUE = (
    "SELECT country, CAST(ordered_at AS DATE) AS day, count(*) AS orders, CAST(sum(amount) AS DECIMAL(22, 2)) "
    "AS revenue FROM delta.`{silver}` GROUP BY country, CAST(ordered_at AS DATE)"
)


def bronze(landing: str, root: Path, day: str) -> dict[str, Any]:
    """Return the configuration that appends the day's files to bronze."""
    return {
        "input_specs": [
            {
                "spec_id": "files", "read_type": "batch", "data_format": "csv", "options": {"header": True},
                "location": f"{landing}/{day}",
            }
        ],
        "transform_specs": [
            {
                "spec_id": "stamped", "input_id": "files",
                "transformers": [
                    {"function": "with_expressions", "args": {"cols_and_exprs": {"_day": f"'{day}'"}}},
                ],
            }
        ],
        "output_specs": [
            {
                "spec_id": "bronze", "input_id": "stamped", "write_type": "append", "data_format": "delta",
                "location": str(root / "bronze"),
            }
        ],
    }  # fmt: skip


def silver(root: Path, day: str, exists: bool) -> dict[str, Any]:
    """Return the configuration that takes the day's rows from bronze to silver."""
    location = str(root / "silver")
    merged = {
        "write_type": "merge",
        "merge_opts": {
            "merge_predicate": "new.order_id = current.order_id",
            "update_predicate": "new.changed_at >= current.changed_at",
        },
    }
    return {
        "input_specs": [
            {"spec_id": "bronze", "read_type": "batch", "data_format": "delta", "location": str(root / "bronze")}
        ],
        "transform_specs": [
            {
                "spec_id": "typed", "input_id": "bronze",
                "transformers": [
                    {"function": "expression_filter", "args": {"exp": f"_day = '{day}'"}},
                    {"function": "cast", "args": {"cols": CASTS}},
                    {"function": "with_expressions", "args": {"cols_and_exprs": CLEAN}},
                    {
                        "function": "group_and_rank",
                        "args": {"group_key": ["order_id"], "ranking_key": ["changed_at"], "descending": True},
                    },
                ],
            }
        ],
        "dq_specs": [
            {
                "spec_id": "checked", "input_id": "typed", "dq_type": "validator", "store_backend": "file_system",
                "local_fs_root_dir": str(root / "dq"), "result_sink_format": "json",
                "result_sink_location": str(root / "results"), "unexpected_rows_pk": ["order_id"],
                "fail_on_error": False, "cache_df": True,
                "dq_functions": [{"function": name, "args": args} for name, args in EXPECTATIONS],
            }
        ],
        "output_specs": [
            {
                "spec_id": "silver", "input_id": "checked", "data_format": "delta", "location": location,
                **(merged if exists else {"write_type": "overwrite"}),
            }
        ],
    }  # fmt: skip


def gold(root: Path) -> dict[str, Any]:
    """Return the configuration that makes gold anew."""
    return {
        "input_specs": [
            {
                "spec_id": "revenue", "read_type": "batch", "data_format": "sql",
                "query": REVENUE.format(silver=root / "silver"),
            }
        ],
        "output_specs": [
            {
                "spec_id": "gold", "input_id": "revenue", "write_type": "overwrite", "data_format": "delta",
                "location": str(root / "gold"),
            }
        ],
    }  # fmt: skip


def main() -> None:
    """Do one day."""
    landing, root, day, jars = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    from lakehouse_engine.core.exec_env import ExecEnv
    from lakehouse_engine.engine import load_data
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.extraClassPath": jars,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.driver.memory": "3g",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        # As lakeloom's own on one machine: the defaults of 200 and 50 would cost it seconds.
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "2",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    ExecEnv.get_or_create(session=builder.getOrCreate())
    for part in (bronze(landing, root, day), silver(root, day, (root / "silver").exists()), gold(root)):
        load_data(acon=part, collect_engine_usage="disabled")


if __name__ == "__main__":
    main()
