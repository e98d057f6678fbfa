import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import CommitProperties, write_deltalake

from lakeloom.config.load import read
from lakeloom.flow.freshness import freshness
from lakeloom.project.check import checked
from tests.shop import SOURCES, TABLES, lay_out

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    conf = lay_out(tmp_path)
    words = "    owner: shop-data\n    event_time: ordered_on\n    freshness: 36 hours\n"
    (conf / "shop/tables.yml").write_text(TABLES.replace("    owner: shop-data\n", words))
    (conf / "shop/sources.yml").write_text(
        SOURCES.replace("format: csv}", "format: csv, freshness: 2 days, owner: ops}")
    )
    return checked(read(conf))


def landed(lake, at):
    properties = CommitProperties(custom_metadata={"userMetadata": json.dumps({"clock": at.isoformat()})})
    write_deltalake(lake.path("bronze.orders"), pa.table({"a": [1]}), mode="append", commit_properties=properties)


def test_events_and_arrivals_are_measured_against_what_is_allowed(project, lake):
    assert [(each.table, each.status) for each in freshness(project, lake, {}, NOW)] == [
        ("bronze.orders", "missing"), ("silver.orders", "missing"),
    ]  # fmt: skip
    landed(lake, NOW - timedelta(days=3))
    landed(lake, NOW - timedelta(days=1))
    days = pa.array([datetime(2026, 1, 8).date(), datetime(2026, 1, 9).date(), None], pa.date32())
    write_deltalake(lake.path("silver.orders"), pa.table({"ordered_on": days}))
    source, table = freshness(project, lake, {"bronze.orders": 1, "silver.orders": 0}, NOW)
    assert (source.status, source.by, source.age_s, source.owner) == ("fresh", "arrival", 86_400, "ops")
    assert (table.status, table.by, table.age_s) == ("fresh", "event", 36 * 3600)
    late = freshness(project, lake, {"bronze.orders": 0, "silver.orders": 0}, NOW + timedelta(seconds=1))
    assert [each.status for each in late] == ["late", "late"]
    assert late[0].as_dict()["newest"] == (NOW - timedelta(days=3)).isoformat()
    ahead = freshness(project, lake, {"silver.orders": 0}, datetime(2026, 1, 1, tzinfo=UTC))
    assert ahead[1].age_s == 0.0
