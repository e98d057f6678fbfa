from benchmarks.nothing_new import Case, result


def test_each_case_is_held_against_the_limit_and_the_largest_against_the_smallest():
    found = result(
        [
            Case("files", "1 file", 1, 5, 1.0),
            Case("files", "9 files", 9, 5, 4.0),
            Case("rows, many", "2 rows", 2, 2, 0.5),
        ]
    )
    assert found.figures == {"files_1_s": 1.0, "files_9_s": 4.0, "rows_many_2_s": 0.5}
    assert found.ratios["files_growth"] == 4.0 and "rows_many_growth" not in found.ratios
    assert [target.met(found.figures) for target in found.targets] == [True, False, True]
