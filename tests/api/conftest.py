"""A project whose tables were written without Spark: three versions of silver.orders, the second one good."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.api.scaffold import scaffold
from lakeloom.store import refs
from lakeloom.store.lake import Lake

AT = datetime(2026, 1, 5, 9, 12, tzinfo=UTC)


def orders(*amounts):
    count = len(amounts)
    return pa.table(
        {
            "order_id": pa.array(range(1, count + 1), pa.int64()),
            "country": pa.array(["NL", "DE", None][:count], pa.string()),
            "amount": pa.array(amounts, pa.float64()),
            "price": pa.array([Decimal("1.20")] * count, pa.decimal128(10, 2)),
            "ordered_at": pa.array([AT] * count, pa.timestamp("us", "UTC")),
            "tags": pa.array([["a", "b"]] * count, pa.list_(pa.string())),
            "place": pa.array([{"city": "Oslo"}] * count),
            "photo": pa.array([b"\xff"] * count, pa.binary()),
        }
    )


def rejected(reasons):
    count = len(reasons)
    position = {"epoch": 1, "file": 0, "record": 4}
    return pa.table(
        {
            "position": pa.array([position] * count),
            "raw": pa.array(['{"order_id":4}'] * count, pa.string()),
            "row": pa.array(['{"order_id":4}'] * count, pa.string()),
            "bytes": pa.array([None] * count, pa.binary()),
            "reasons": pa.array(reasons, pa.list_(pa.string())),
            "file": pa.array([None] * count, pa.string()),
            "step": ["silver.orders"] * count,
            "epoch": pa.array([1] * count, pa.int64()),
            "run": ["r1"] * count,
            "at": pa.array([AT] * count, pa.timestamp("us", "UTC")),
        }
    )


def lay_tables(lake: Lake) -> None:
    write_deltalake(lake.path("silver.orders"), orders(1.0))
    write_deltalake(lake.path("silver.orders"), orders(1.0, 2.0), mode="overwrite")
    write_deltalake(lake.path("silver.orders"), orders(1.0, 2.0, 3.0), mode="overwrite")
    reasons = [["amount:not_null"], ["amount:not_null", "amount:values_between"]]
    write_deltalake(lake.path("quarantine.silver__orders"), rejected(reasons))
    good = {"silver.orders": 1, "quarantine.silver__orders": 0}
    refs.publish(lake, good, step="silver.orders", epoch=1, run="r1", at=AT)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Give the folder of a scaffolded project with tables, as the current folder."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    scaffold("shop", tmp_path)
    lay_tables(Lake(tmp_path / ".lakeloom"))
    return tmp_path


@pytest.fixture
def lakehouse(home):
    return open_lakehouse()
