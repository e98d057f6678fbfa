"""What breaks readers of a published table is refused by a run: beforehand by its words, else by the rows that it made."""

import pytest

from lakeloom.core.errors import ContractError
from lakeloom.flow.radius import radius
from tests.flow.stream import Stream

COLUMNS = {"id": "bigint", "city": "string", "amount": "double"}
TABLES = """\
tables:
  silver.orders:
    from: {bronze.changes: whole}
    sql: select id, city, amount * 1.2 as gross from bronze.changes
    keys: [id]
    columns: {id: bigint, city: string, gross: double}
  gold.all:
    from: {silver.orders: whole}
    sql: select * from silver.orders
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory, spark):
    stream = Stream(tmp_path_factory.mktemp("contracts"), COLUMNS, TABLES)
    stream.drop({"id": 1, "city": "Rome", "amount": 5.0}, {"id": 2, "city": "Oslo", "amount": 7.0})
    stream.done("bronze.changes", "silver.orders", "gold.all")
    return stream


def test_a_run_notes_what_the_next_change_is_compared_with_and_refuses_what_breaks(ran):
    ran.declare(TABLES.replace("1.2", "1.3"))
    found = radius(ran.project())
    assert found.changes[0].columns == {"gross": "changed"}
    assert {each.id: (each.how, each.sure) for each in found.reached} == {"gold.all.gross": (("value",), True)}
    assert found.rebuild[0].scratch
    assert found.rebuild[0].seconds > 0
    before = ran.lake.version("silver.orders")
    ran.declare(TABLES.replace("city, amount * 1.2", "amount * 1.2").replace("city: string, ", ""))
    with pytest.raises(ContractError, match=r"silver\.orders\.city is dropped; it reaches gold\.all\.city \(value\)"):
        ran.run("silver.orders", allow_breaking=False)
    assert ran.lake.version("silver.orders") == before


def test_what_a_star_gives_is_known_by_its_rows_and_refused_before_they_are_written(ran):
    """The words of gold.all are what they were: only its rows tell that a column is gone."""
    ran.declare(TABLES.replace("city, amount * 1.2", "amount * 1.2").replace("city: string, ", ""))
    ran.done("silver.orders")  # let through: as --allow-breaking
    before = ran.lake.version("gold.all")
    result = ran.run("gold.all", allow_breaking=False)
    (step,) = result.steps
    assert (step.status, step.error["code"]) == ("failed", "LL-TABLE-011")
    assert "gold.all.city is dropped" in step.error["message"]
    assert ran.lake.version("gold.all") == before
    ran.done("gold.all", allow_breaking=True)
    assert "city" not in ran.lake.columns("gold.all")
    ran.done("gold.all", allow_breaking=False)
