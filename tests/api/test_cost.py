"""Costs from rows of ``meta.steps`` and bytes on a storage root, checked by hand."""

from datetime import UTC, datetime

import pytest

from lakeloom.api.cost import cost
from lakeloom.api.prices import GIB, Prices
from lakeloom.core.errors import ConfigError
from lakeloom.core.steps import Input, Step

AT = datetime(2026, 1, 5, tzinfo=UTC)
STEPS = [
    Step("silver.a", "transform", (), ("silver.a",), None),
    Step("tuning.m", "tune", (), ("tuning.m",), None),
    Step("models.m", "train", (), ("models.m",), None),
    Step("gold.scores", "materialise", (Input("models.m"),), ("gold.scores",), None),
]


def row(step, status="done", **more):
    figures = {"seconds": 3600.0, "slots": 1, "tasks": 4, "task_seconds": 1800.0, "cpu_seconds": 900.0,
               "bytes_read": GIB, "bytes_written": 2 * GIB, "shuffle_bytes": 0, "spilled_bytes": 0}  # fmt: skip
    return {"run_id": "r1", "step": step, "status": status, "ended": AT} | figures | more


def prices(name="here", currency="EUR", **rates):
    return Prices(name=name, currency=currency, rates=rates)


def put(root, name, size):
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)


def test_a_steps_cost_is_its_resources_times_the_rates(root):
    rates = prices(slot_hour=1, task_hour=10, read_gib=100, written_gib=1000)
    found = cost(root, [row("silver.a"), row("silver.a", "failed", slots=2)], STEPS, [rates])
    (usage,) = found.usages
    assert (usage.executions, usage.seconds, usage.slot_seconds, usage.task_seconds) == (2, 7200, 10_800, 3600)
    assert usage.cost(rates)["compute"] == pytest.approx(3 * 1 + 1 * 10 + 2 * 100 + 4 * 1000)
    assert found.total.cost(rates) == usage.cost(rates)


def test_skipped_and_blocked_steps_cost_nothing_and_old_rows_are_counted_as_unmeasured(root):
    unmeasured = {"step": "silver.a", "run_id": "r0", "status": "done", "ended": AT, "seconds": 5.0, "tasks": None}
    found = cost(root, [row("silver.a", "skipped"), row("silver.a", "blocked"), unmeasured], STEPS, [])
    (usage,) = found.usages
    assert (usage.executions, usage.unmeasured, usage.slot_seconds, usage.task_seconds) == (1, 1, 5.0, 0)


def test_what_is_stored_counts_with_its_history_and_its_quarantine(root):
    put(root, "tables/silver/a/part.parquet", 10)
    put(root, "tables/silver/a/_delta_log/0.json", 5)
    put(root, "tables/quarantine/silver__a/part.parquet", 7)
    put(root, "tables/gold/scores/part.parquet", 3)
    put(root, "models/m/models-1/weights", 100)

    def stored(by):
        return {usage.name: usage.stored_bytes for usage in cost(root, [], STEPS, [], by).usages}

    assert stored("step") == {"silver.a": 22, "gold.scores": 3, "models.m": 100}
    assert stored("table") == {"silver.a": 22, "gold.scores": 3}
    assert stored("model") == {"m": 103}
    (usage,) = cost(root, [], STEPS, [], "model").usages
    assert usage.cost(prices(stored_gib_month=1))["storage_month"] == pytest.approx(103 / GIB)


def test_a_model_is_its_search_training_and_scoring(root):
    rows = [row("silver.a"), row("tuning.m", slots=2), row("models.m", slots=2), row("gold.scores")]
    (usage,) = cost(root, rows, STEPS, [], "model").usages
    assert (usage.name, usage.executions, usage.slot_seconds) == ("m", 3, 5 * 3600)
    assert {each.name for each in cost(root, rows, STEPS, [], "table").usages} == {"silver.a", "gold.scores"}


def test_price_files_are_compared_on_the_same_work(root):
    files = [prices("a", slot_hour=1), prices("b", task_hour=4), prices("c", currency="USD", slot_hour=1)]
    found = cost(root, [row("silver.a"), row("gold.scores", seconds=60.0)], STEPS, files)
    assert [usage.name for usage in found.usages] == ["silver.a", "gold.scores"]
    document = found.as_dict()
    assert [(each["name"], each["vs_first"]) for each in document["prices"]] == [
        ("a", 1.0), ("b", pytest.approx(4 / (61 / 60), abs=1e-3)), ("c", None),
    ]  # fmt: skip
    assert set(document["rows"][0]["costs"]) == {"a", "b", "c"}
    assert document["total"]["costs"]["b"]["compute"] == pytest.approx(4.0)


def test_runs_and_times_limit_what_is_counted(root):
    rows = [row("silver.a"), row("silver.a", run_id="r2", ended=datetime(2026, 2, 1, tzinfo=UTC))]
    assert cost(root, rows, STEPS, []).total.executions == 2
    assert cost(root, rows, STEPS, [], run="r2").total.executions == 1
    assert cost(root, rows, STEPS, [], since=datetime(2026, 1, 20, tzinfo=UTC)).total.executions == 1


def test_an_unknown_grouping_is_coded(root):
    with pytest.raises(ConfigError) as caught:
        cost(root, [], STEPS, [], "team")
    assert caught.value.code == "LL-CONF-004"
