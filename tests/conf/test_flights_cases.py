"""The demo's own tests, as `lakeloom test` runs them."""

from pathlib import Path

from lakeloom.api.lakehouse import open_lakehouse

CONF = Path(__file__).resolve().parents[2] / "conf" / "flights"


def test_the_demos_tests_pass(spark):
    results = open_lakehouse(CONF).test()
    assert [str(result) for result in results if not result.passed] == []
    assert len(results) >= 6
