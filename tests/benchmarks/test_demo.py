import pytest

from benchmarks.demo import GROUPS, grouped
from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.datasets.columns import feature_names


def test_every_feature_of_the_demo_stands_in_one_group_and_no_group_is_empty():
    project = open_lakehouse("conf/flights").project
    features = feature_names(project.datasets["late_flights"], project.features)
    groups = grouped(features)
    assert sorted(name for names in groups.values() for name in names) == sorted(features)
    assert all(groups.values())
    assert list(groups) == list(GROUPS)


def test_a_feature_of_no_group_is_refused():
    with pytest.raises(ValueError, match="'moon' stands in no group"):
        grouped(("weekday", "moon"))
