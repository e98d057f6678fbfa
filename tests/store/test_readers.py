"""What the guide says of each reader (docs/guide/analysts.md): on real tables, each with one feature of Delta."""

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from lakeloom.core.errors import StoreError
from lakeloom.store.lake import Lake

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "analysts.md"
# Feature → how its table is made from `rows` (id, k, v), and how many rows it ends with.
FEATURES = {
    "plain": ([("create table {t} using delta as select * from rows")], 6),
    "partitions": (["create table {t} using delta partitioned by (k) as select * from rows"], 6),
    "vectors": (
        ["create table {t} using delta tblproperties ('delta.enableDeletionVectors' = 'true') as select * from rows", "delete from {t} where id = 3"],
        5,
    ),
    "renamed": (
        ["create table {t} using delta tblproperties ('delta.columnMapping.mode' = 'name') as select * from rows", "alter table {t} rename column v to w"],
        6,
    ),
    "widened": (
        ["create table {t} using delta tblproperties ('delta.enableTypeWidening' = 'true') as select * from rows", "alter table {t} alter column id type bigint"],
        6,
    ),
    "grown": (
        ["create table {t} using delta as select *, named_struct('a', id) as s from rows", "alter table {t} add columns (s.b int)"],
        6,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def tables(spark, tmp_path_factory):
    """Give the store on a root with one table for each feature."""
    lake = Lake(tmp_path_factory.mktemp("readers"))
    spark.range(6).selectExpr(
        "cast(id as int) as id", "cast(id % 2 as string) as k", "id / 2 as v"
    ).createOrReplaceTempView("rows")
    for name, (statements, _) in FEATURES.items():
        for statement in statements:
            spark.sql(statement.format(t=f"delta.`{lake.path(f'silver.{name}')}`"))
    return lake


def arrow(lake, name):
    found = lake.arrow(f"silver.{name}")
    last = found.column_names[-1]
    assert duckdb.from_arrow(found).aggregate(f"count({last})").fetchall() == [(found.num_rows,)]
    assert pl.from_arrow(found).height == found.num_rows
    return found.num_rows


def pyarrow(lake, name):
    found = DeltaTable(lake.path(f"silver.{name}")).to_pyarrow_table()
    return found.num_rows if found.column(2).null_count == 0 else "NULL"


def polars(lake, name):
    return pl.scan_delta(lake.path(f"silver.{name}")).select(pl.len()).collect().item()


@pytest.mark.parametrize("reader", [arrow, pyarrow, polars])
def test_each_reader_does_what_the_guide_says(tables, reader):
    refused = {
        arrow: {"widened"},
        pyarrow: {"partitions", "vectors", "widened", "grown"},
        polars: {"renamed", "widened"},
    }[reader]
    for name, (_, rows) in FEATURES.items():
        if name in refused:
            with pytest.raises(Exception, match=r"(?i)feature|reader version|field") as caught:
                reader(tables, name)
            assert reader is not arrow or isinstance(caught.value, StoreError)
        else:
            # deltalake's dataset does not know the name that a renamed column has in the files.
            assert reader(tables, name) == ("NULL" if (reader, name) == (pyarrow, "renamed") else rows), name


def test_the_guides_table_says_the_same():
    lines = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    told = {re.sub(r"`", "", line[0]).strip(): [cell.split()[0] for cell in line[1:]] for line in lines[1:]}
    assert told == {
        "nothing special, or cluster_by": ["reads", "reads", "reads", "reads"],
        "partition_by": ["reads", "refuses", "reads", "reads"],
        "deletion_vectors: true": ["reads", "refuses", "reads", "reads"],
        "renamed or dropped columns": ["reads", "gives", "refuses", "reads"],
        "fields that came into a column": ["reads", "refuses", "reads", "reads"],
        "widened types": ["refuses", "refuses", "refuses", "reads"],
    }
