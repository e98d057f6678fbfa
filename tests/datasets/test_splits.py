"""Ranges of days and shares: what they mean and what is refused."""

from datetime import date

import pytest
from pydantic import ValidationError

from lakeloom.datasets.splits import DayRange, SplitSpec


def test_ranges_name_whole_days_and_follow_each_other():
    split = SplitSpec(by="sched_dep", train="..2013-09-30", valid="..2013-10-31", test="2013-11-02..")
    assert split.ranges() == (
        DayRange("train", None, date(2013, 10, 1)),
        DayRange("valid", date(2013, 10, 1), date(2013, 11, 1)),
        DayRange("test", date(2013, 11, 2), None),
    )
    assert SplitSpec(by="d", train="..2013-09-30", test="..2013-12-31").ranges()[1].start == date(2013, 10, 1)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"by": "d"}, "give by and train"),
        ({"train": "..2013-09-30"}, "give by and train"),
        ({"by": "d", "train": "2013-09-30"}, "no range of days"),
        ({"by": "d", "train": ".."}, "no range of days"),
        ({"by": "d", "train": "..2013-09-31"}, "is not a day"),
        ({"by": "d", "train": "2013-02-02..2013-02-01"}, "holds no day"),
        ({"by": "d", "train": "..2013-09-30", "valid": "..2013-09-30"}, "holds no day"),
        ({"by": "d", "train": "..2013-09-30", "test": "2013-09-30..2013-10-31"}, "before 'train' has ended"),
        ({"by": "d", "train": "2013-01-01..", "test": "..2013-10-31"}, "nothing can follow"),
        ({"random": {"train": 0.8, "test": 0.3}}, "more than 1"),
        ({"random": {"test": 0.3}}, "share above 0 for train"),
        ({"random": {"train": 0.5}, "by": "d"}, "exclude each other"),
        ({"by": "d", "train": "..2013-09-30", "trian": "x"}, "Extra inputs"),
    ],
)
def test_mistakes_are_told(raw, says):
    with pytest.raises(ValidationError, match=says):
        SplitSpec.model_validate(raw)
