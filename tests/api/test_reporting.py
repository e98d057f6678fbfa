import json

import pytest

from lakeloom.api.reporting import collect, evaluations
from lakeloom.core.errors import RunError
from lakeloom.store.intents import Intent, Intents

RUN = "20260105T091200-abcd"
SCORES = {"roc_auc": 0.7, "average_precision": 0.4, "brier": 0.1, "log_loss": 0.3, "rows": 10, "positives": 2}
EVALUATION = {"dataset": {"rows": {"test": 10}}, "models": {"late": {"kind": "logistic", "splits": {"test": SCORES}}}}


@pytest.fixture
def ran(lakehouse):
    """Give a lakehouse on which a run made a table and trained a model."""
    step = {"name": "silver.orders", "kind": "transform", "status": "done", "reason": "it never ran", "rows_in": 4,
            "rows_out": 2, "quarantined": 2, "version": 1, "seconds": 1.5}  # fmt: skip
    at = "2026-01-05T09:12:00+00:00"
    log = [
        {"at": at, "event": "run started", "steps": ["silver.orders", "models.late"]},
        {"at": "2026-01-05T09:12:02+00:00", "event": "step done"} | step,
        {"at": "2026-01-05T09:12:03+00:00", "event": "run ended", "status": "done", "seconds": 3.0},
    ]
    folder = lakehouse.root / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, log)))
    intents = Intents(lakehouse.root)
    rule = {
        "name": "amount:not_null",
        "column": "amount",
        "level": "quarantine",
        "rows": 4,
        "broken": 2,
        "passed": False,
    }
    for name, facts in {
        "silver.orders": {"rules": [rule], "versions": {}},
        "models.late": {"evaluation": EVALUATION, "version": 3, "champion": True},
    }.items():
        intent = Intent(name, 1, RUN, at, 7, "c0de")
        intents.begin(intent)
        intents.finish(intent, facts)
    return lakehouse


def test_a_run_s_facts_are_collected(ran):
    report = collect(ran.lake, "shop", ran.lineage(), {"silver.orders": 1}, ran.quarantine(), None)
    assert (report.run_id, report.status, report.finished.second) == (RUN, "done", 3)
    assert [(step.name, step.rows_out, step.started.microsecond) for step in report.steps] == [
        ("silver.orders", 2, 500000)
    ]
    assert [(table.name, table.rows) for table in report.tables] == [("silver.orders", 2)]
    assert [(rule.table, rule.broken) for rule in report.rules] == [("silver.orders", 2)]
    assert {each.rule: each.rows for each in report.quarantine} == {"amount:not_null": 2, "amount:values_between": 1}
    assert (report.model.name, report.model.version, report.model.champion) == ("late", 3, True)
    assert {node.kind for node in report.lineage.nodes} == {"source", "bronze", "silver", "gold"}


def test_the_page_is_written_beside_the_log(ran):
    path = ran.report()
    assert path == ran.root / "runs" / RUN / "report.html"
    assert "silver.orders" in path.read_text(encoding="utf-8")


def test_evaluations_are_those_of_the_run(ran):
    assert evaluations(ran.root, RUN) == {"late": EVALUATION} == ran.evaluations()
    assert evaluations(ran.root, "another") == {}


def test_no_run_no_report(lakehouse):
    with pytest.raises(RunError) as caught:
        lakehouse.report()
    assert caught.value.code == "LL-RUN-003"
