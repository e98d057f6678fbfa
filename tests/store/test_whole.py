"""Texts as whole numbers: in the order that Spark compares them in, and no range of them too short."""

from hypothesis import example, given
from hypothesis import strategies as st

from lakeloom.store.whole import Text, whole

SIGNS = st.text(st.sampled_from("\0\tAZaz09'\\ü€\ud7ff\ue000\ufffd𝄞\U0010ffff"), max_size=9)


def held(of, text, low, high):
    """Whether `between` holds, as its SQL says it."""
    least, beyond = of._least(low), of._beyond(high)
    return text.encode() >= least.encode() and (not beyond or text.encode() < beyond.encode())


@given(SIGNS, st.lists(SIGNS, min_size=1, max_size=8), st.lists(SIGNS, max_size=8))
@example("", ["\U0010ffff\U0010ffff"], ["\U0010ffff"])
def test_what_lies_in_a_range_is_held_by_its_condition(common, inside, others):
    of = Text(common)
    numbers = sorted(of.number(common + text) for text in inside)
    for text in (common + each for each in (*inside, *others)):
        if numbers[0] <= of.number(text) <= numbers[-1]:
            assert held(of, text, numbers[0], numbers[-1])


@given(SIGNS, st.lists(SIGNS, min_size=2, max_size=8))
def test_numbers_go_as_the_texts_go(common, texts):
    ordered = sorted((common + text for text in texts), key=str.encode)
    numbers = [Text(common).number(text) for text in ordered]
    assert numbers == sorted(numbers)


@given(SIGNS, SIGNS, SIGNS)
def test_what_is_not_outside_begins_as_all_do(common, text, other):
    """Else its number would be one of other bytes."""
    of = Text(common)
    low, high = sorted((of.number(common + text), of.number(common + other)))
    for each in (text, other, common[:-1] + text, common + text):
        assert not held(of, each, low, high) or each.startswith(common)


def test_ranges_of_common_keys_are_narrow():
    of = whole("string", "order-000100", "order-999999\U0010ffff")
    assert isinstance(of, Text) and of.common == "order-"
    low, high = of.number("order-123400"), of.number("order-123499")
    assert of.between("k", low, high) == "(k >= 'order-123400' AND k < 'order-12349:')"
    assert not held(of, "order-123500", low, high)


def test_a_type_without_an_order_of_whole_numbers_has_none():
    assert whole("double", 0.0, 1.0) is None
    assert whole("bigint", -(2**63), 2**63 - 1) is None
