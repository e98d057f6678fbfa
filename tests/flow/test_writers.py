"""Which executions can't have written a row, told by where the row came from; no Spark."""

from types import SimpleNamespace

import pytest
from deltalake import CommitProperties, Transaction, write_deltalake

from lakeloom.flow.context import Context
from lakeloom.flow.writers import may_have_read
from lakeloom.project.graph import steps
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake
from tests.ran import Ran


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    ran = Ran(tmp_path).run()
    context = Context.of(ran.project(), "run")
    by_name = {step.name: step for step in steps(ran.project())}

    def ask(epoch, step="silver.orders", **how):
        told = {"reads": {"bronze.orders": 0}, "since": {"bronze.orders": 3}} | how
        intent = Intent(step, 9, "r", "", 7, "", **told)
        return may_have_read(context, by_name[step], intent, epoch and {"epoch": epoch, "file": 0, "record": 0})

    return SimpleNamespace(ask=ask, root=ran.lake.root)


def test_what_landed_before_where_it_went_on_was_not_read(asked):
    assert [asked.ask(epoch) for epoch in (2, 3, 4)] == [False, False, True]


@pytest.mark.parametrize("how", [{"full": True}, {"again": "true"}, {"replay": {"ids": []}}, {"since": {}}])
def test_one_that_reads_other_rows_too_may_have_read_any(asked, how):
    assert asked.ask(1, **how)


def test_without_a_place_nothing_is_ruled_out(asked):
    assert asked.ask(None)
    assert asked.ask(1, step="gold.towns")


def test_what_was_landed_again_into_its_old_place_may_have_been_read(asked):
    """A replay of bronze that the step's last execution had not seen yet, and this one has."""
    lake = Lake(asked.root)
    for epoch, replay in ((4, {}), (5, {"ids": []})):
        Intents(asked.root).begin(Intent("bronze.orders", epoch, f"r{epoch}", "", 7, "", replay=replay))
        mark = CommitProperties(app_transactions=[Transaction("bronze.orders", epoch)])
        rows = lake.arrow("bronze.orders")
        write_deltalake(lake.path("bronze.orders"), rows, mode="append", commit_properties=mark)
    assert not asked.ask(1, reads={"bronze.orders": 1})
    assert asked.ask(1, reads={"bronze.orders": 2})
