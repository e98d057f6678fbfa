from pyarrow import csv

from benchmarks.engine import BROKEN, DAYS, lay_out, orders, result


def test_the_second_day_has_changes_and_new_orders(tmp_path):
    lay_out(tmp_path, 1000)
    first, second = (
        [number for file in (tmp_path / day).iterdir() for number in csv.read_csv(file)["order_id"].to_pylist()]
        for day in DAYS
    )
    assert sorted(first) == list(range(1000))
    assert len(second) == len(set(second)) == 60
    assert len(set(second) - set(first)) == 10


def test_a_changed_order_is_later_and_its_pieces_are_the_same():
    before, after = (orders([5, BROKEN], day).to_pylist() for day in (0, 1))
    assert [row["quantity"] for row in before] == [row["quantity"] for row in after] == ["6", "0"]
    assert before[0]["changed_at"] < after[0]["changed_at"]
    assert before[0]["ordered_at"] == after[0]["ordered_at"] == before[0]["changed_at"]


def test_the_ratio_is_of_both_days_and_slower_than_the_peer_misses_the_target():
    pairs = [{"ours": [10.0, 10.0], "theirs": [30.0, 10.0]}, {"ours": [10.0, 10.0], "theirs": [30.0, 10.0]}]
    found = result(pairs, 1000)
    assert found.figures["times_faster"] == 2.0
    assert found.figures["second_day_times_faster"] == 1.0
    assert found.targets[0].met(found.figures)
    slower = result([{"ours": [10.0, 10.0], "theirs": [9.0, 10.0]}], 1000)
    assert not slower.targets[0].met(slower.figures)
