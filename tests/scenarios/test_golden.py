"""The shop's story with golden results: its plan, lineage, tables, quarantine, and the texts of its mistakes.

``make golden`` writes them anew; read the difference before you commit it.
"""

import json
import os
from pathlib import Path

import pytest

from lakeloom.config.load import read
from lakeloom.flow.planning import plan
from lakeloom.flow.runner import run
from lakeloom.lineage.graph import build
from lakeloom.project.check import check, checked
from lakeloom.project.graph import steps
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from tests.shop import ORDERS_2, drop, lay_out

GOLDEN = Path(__file__).parent / "golden"
RUN_COLUMNS = {"_ingested_at", "_run", "run", "at", "code"}


def agrees(name, found):
    """Compare with the golden file `name`, or write it where ``LAKELOOM_GOLDEN=write``."""
    text = found if isinstance(found, str) else json.dumps(found, indent=1, sort_keys=True, default=str) + "\n"
    file = GOLDEN / name
    if os.environ.get("LAKELOOM_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text(), f"{name} differs: 'make golden' writes it anew"


@pytest.fixture
def conf(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return lay_out(tmp_path)


def test_the_plan_and_the_lineage(conf):
    project = checked(read(conf))
    agrees("plan.json", [step.as_dict() for step in plan(project)])
    agrees("lineage.json", build(steps(project)).as_dict())


def test_the_texts_of_mistakes(conf):
    tables = conf / "shop" / "tables.yml"
    text = tables.read_text()
    for old, new in (
        ("owner: shop-data", "onwer: shop-data"),
        ("keys: [id]", "keys: [di]"),
        ("silver.orders: whole", "silver.order: whole"),
        ("expect: values_between, min: 0", "expect: values_betwen, min: 0"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    tables.write_text(text)
    sql = conf / "shop" / "sql" / "gold_cities.sql"
    sql.write_text(sql.read_text().replace("sum(o.amount)", "sum(o.amount) * rand()"))
    (conf / "shop" / "sources.yml").write_text(
        (conf / "shop" / "sources.yml").read_text().replace("kind: files", "kind: flies", 1)
    )
    findings = check(read(conf))[1]
    agrees("mistakes.txt", "\n".join(str(finding) for finding in findings) + "\n")


def test_two_months_of_the_shop(conf, spark):
    project = checked(read(conf))
    run(project)
    drop(conf.parent, "orders/2026-02.csv.gz", ORDERS_2)
    result = run(project)
    agrees("second_run.json", [{"name": step.name, "status": step.status, "reason": step.reason, "rows_in": step.rows_in,
                                "rows_out": step.rows_out, "quarantined": step.quarantined, "version": step.version}
                               for step in result.steps])  # fmt: skip
    lake, tables = Lake(project.root), {}
    for table, version in refs.good(lake).items():
        rows = [
            {k: v for k, v in row.items() if k not in RUN_COLUMNS} for row in lake.arrow(table, version).to_pylist()
        ]
        tables[table] = sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))
    agrees("tables.json", tables)
