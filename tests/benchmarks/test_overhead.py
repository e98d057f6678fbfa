from benchmarks.overhead import interval, result


def test_the_ratio_is_the_median_of_the_pairs_with_its_interval():
    found = result([11.0, 22.0, 30.0], [10.0, 20.0, 20.0])
    assert (found.figures["ratio"], found.figures["pairs"]) == (1.1, 3.0)
    assert (found.figures["ratio_low"], found.figures["ratio_high"]) == (1.1, 1.5)
    assert found.comparisons == {"vs_by_hand": round(1 / 1.1, 3)}
    assert found.tables[0].rows[2] == (3, "30.0", "20.0", "1.500")
    assert not found.targets[0].met(found.figures)  # less than 1.10 is wanted


def test_pairs_that_agree_have_a_narrow_interval():
    low, high = interval([1.05] * 9)
    assert low == high == 1.05
    low, high = interval([1.0, 1.02, 1.04, 1.06, 1.08, 1.1, 1.12, 1.14, 1.16])
    assert 1.0 <= low < 1.08 < high <= 1.16
