from benchmarks.latency import Taken, result


def test_the_median_is_held_against_the_target_and_the_longest_is_told():
    found = result(
        {"files": [Taken(2.0, 3.0, 4.0), Taken(4.0, 6.0, 8.0), Taken(3.0, 4.0, 5.0)], "jdbc": [Taken(11.0, 12.0, 13.0)]}
    )
    assert (found.figures["files_silver_s"], found.figures["files_silver_worst_s"]) == (3.0, 4.0)
    assert (found.figures["files_gold_s"], found.figures["files_line_s"]) == (4.0, 5.0)
    assert [target.met(found.figures) for target in found.targets] == [True, False]
    assert found.tables[0].rows[0] == ("files", "3", "3.00", "4.00", "4.00", "6.00", "5.00")


def test_what_could_not_be_measured_is_left_out():
    assert [target.figure for target in result({"files": [Taken(1.0, 1.0, 1.0)]}).targets] == ["files_silver_s"]
