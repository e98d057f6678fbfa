"""What people do to tables stands in the audit: who, what, when, which table at which version."""

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.core.users import who
from lakeloom.flow.choice import Choice
from lakeloom.flow.mend import Change, drop, fix
from lakeloom.flow.replaying import replay
from tests.shop import drop as put

TABLE, SIDE = "silver.orders", "quarantine.silver__orders"


def test_each_decision_is_told_once_and_the_chain_holds(ordered):
    project, lake = ordered.project(), open_lakehouse(ordered.home / "conf")
    before = len(lake.audit())
    put(ordered.home, "orders/2026-02.csv", "order_id,customer,amount,ordered_on\n9,a,-9,2026-02-01\n")
    assert ordered.run("+silver.orders").status == "done"
    ran = lake.audit()[before:]
    assert {row["action"] for row in ran} == {"publish"}
    assert fix(project, TABLE, Choice(where="order_id = 3"), Change(sets=("amount = 5",), on="row")).rows == 1
    assert replay(project, TABLE, Choice(where="order_id = 3")).written == 1
    assert drop(project, TABLE, Choice(where="order_id = 9"), "never paid").rows == 1
    lake.clone(TABLE, "silver.kept")
    lake.tag("release-1", TABLE)
    lake.restore(TABLE, "previous")
    lake.untag("release-1")
    told = lake.audit()[before + len(ran) :]
    good = {row["table"]: row["version"] for row in told if row["action"] not in ("tag", "untag")}
    assert [(row["action"], row["table"]) for row in told] == [
        ("fix", SIDE), ("replay", SIDE), ("replay", TABLE), ("drop", SIDE), ("clone", "silver.kept"), ("tag", TABLE),
        ("restore", TABLE), ("untag", TABLE),
    ]  # fmt: skip
    assert good == {table: ordered.lake.version(table) for table in (TABLE, SIDE, "silver.kept")}
    assert {row["who"] for row in told} == {who()}
    assert all(row["at"] and row["run"] is not None for row in told)
    verdict = lake.verify_audit()
    assert (verdict.broken, verdict.pending) == ("", 0)
