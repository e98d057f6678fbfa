"""What looks personal: names, check digits in Python and on Spark, and what only looks alike."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from lakeloom.quality import personal
from lakeloom.quality.personal import luhn, tag_of


def test_the_examples_hold():
    assert doctest.testmod(personal).failed == 0


@given(st.text("0123456789", min_size=1, max_size=20))
def test_one_check_digit_in_ten_is_right(digits):
    assert sum(luhn(digits + last) for last in "0123456789") == 1


def test_names_that_speak_and_names_that_only_sound_alike():
    assert {tag_of(name) for name in ("Email", "homePhone", "first_name", "customer_iban", "ip")} == {"pii"}
    assert {tag_of(name) for name in ("birth_date", "ZIP_CODE", "gender")} == {"quasi_identifier"}
    innocent = ("name", "carrier", "tailnum", "mailbox_count", "page", "wage_index", "dest", "speed", "card", "amount")
    assert [name for name in innocent if tag_of(name)] == []
