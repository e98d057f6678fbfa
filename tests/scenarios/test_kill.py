"""SIGKILL at random moments of the flights project over a sample month: nothing lost, nothing doubled.

The run and all its children die at once, again and again on one storage root; then it is let
finish. Every table must equal that of a run which nobody disturbed, columns of the run aside. A kill
falls where it hurts: a file appears that says which phase a step is in, and a moment later all is over.
"""

import random
import shutil
from pathlib import Path

import pytest

from tests.scenarios.killing import (
    MOMENTS,
    MORE,
    SELECTED,
    assert_no_row_is_quarantined_twice,
    content,
    kill_at,
    seen,
    unfinished,
)

SEED = 20130101


@pytest.fixture(scope="module")
def undisturbed(flights, tmp_path_factory):
    root = tmp_path_factory.mktemp("undisturbed")
    flights.finish(root, *SELECTED)
    return content(root)


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.long)])
def test_killed_again_and_again_the_tables_are_those_of_an_undisturbed_run(kills, flights, undisturbed, tmp_path):
    chance = random.Random(SEED + kills)
    root, killed, working = tmp_path / "root", 0, 0
    order = list(MOMENTS)
    while killed < kills:
        pattern = order.pop(0) if order else chance.choice([*MOMENTS, *MORE])
        if kill_at(flights, root, pattern, chance.choice([0.0, chance.uniform(0.0, 0.8)])):
            killed += 1
            working += bool(unfinished(root))
        elif killed < kills:
            shutil.rmtree(root)  # all was done before that moment came: begin anew, the kills go on
    flights.finish(root, *SELECTED)
    assert working >= 0.8 * kills  # the kills fell into steps at work, not between them
    assert content(root) == undisturbed
    assert_no_row_is_quarantined_twice(root)


def test_the_sample_covers_every_layer_and_what_was_broken_is_in_quarantine(undisturbed):
    assert {table.partition(".")[0] for table in undisturbed} == {
        "bronze", "silver", "gold", "features", "datasets", "quarantine",
    }  # fmt: skip
    quarantined = {table: rows for table, (rows, _) in undisturbed.items() if table.startswith("quarantine.")}
    assert quarantined["quarantine.bronze__flights"] == 1
    assert quarantined["quarantine.bronze__weather"] == 1
    assert quarantined["quarantine.silver__weather"] == 1
    assert undisturbed["bronze.flights"][0] == undisturbed["silver.flights"][0] == 27_004
    assert undisturbed["datasets.late"][0] == 27_004


def test_the_comparison_can_fail(undisturbed):
    table = next(iter(undisturbed))
    rows, found = undisturbed[table]
    assert undisturbed != undisturbed | {table: (rows + 1, found)}


def test_the_patterns_are_those_of_the_storage_root(flights, undisturbed, tmp_path_factory):
    roots = list(Path(tmp_path_factory.getbasetemp()).glob("undisturbed*"))
    assert all(any(seen(root, pattern) for root in roots) for pattern in MOMENTS | MORE)
