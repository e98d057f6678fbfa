"""What a run took stands in its result, its log, its facts and ``meta.steps``."""

import json

from lakeloom.flow import journal
from lakeloom.store.intents import Intents


def test_each_step_that_ran_is_measured_on_its_own(shop):
    result = shop.run()
    steps = {step.name: step for step in result.steps}
    assert all(step.resources["tasks"] > 0 for step in steps.values())
    assert all(step.resources["task_seconds"] <= 2 * step.seconds + 1 for step in steps.values())
    assert steps["silver.orders"].resources["bytes_written"] > 0
    assert steps["gold.cities"].as_dict()["resources"]["shuffle_bytes"] > 0
    rows = {row["step"]: row for row in journal.steps(shop.lake, result.run_id)}
    for name, step in steps.items():
        assert rows[name]["task_seconds"] == step.resources["task_seconds"]
        assert (rows[name]["tasks"], rows[name]["slots"]) == (step.resources["tasks"], 1)
    facts = Intents(shop.project().root).published("gold.cities").facts
    assert facts["resources"] == steps["gold.cities"].resources and facts["warnings"] == []
    log = (shop.project().root / "runs" / result.run_id / "log.jsonl").read_text().splitlines()
    assert [json.loads(line).get("resources") for line in log if '"step done"' in line].count(None) == 0
    skipped = shop.run()
    assert all(step.resources is None and "resources" not in step.as_dict() for step in skipped.steps)


def test_a_failed_step_is_measured_too_and_warnings_reach_the_result(shop, monkeypatch):
    monkeypatch.setattr("lakeloom.flow.advice.FILES", 0)
    sql = shop.conf / "shop" / "sql" / "silver_orders.sql"
    sql.write_text(sql.read_text().replace("try_cast(amount as double)", "cast(customer as double)"))
    result = shop.run("+silver.orders")
    steps = {step.name: step for step in result.steps}
    assert steps["silver.orders"].status == "failed" and steps["silver.orders"].resources["jobs"] > 0
    assert steps["bronze.orders"].warnings[0].startswith("small files: 1 files")
    (row,) = [row for row in journal.steps(shop.lake, result.run_id) if row["step"] == "bronze.orders"]
    assert row["warnings"].startswith("small files")
