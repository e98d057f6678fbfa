"""What is proposed of any profile: it holds of the rows it was made of, says nothing personal, and is a rule that is taken."""

import dataclasses
import doctest
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakeloom.quality import profile as profiles
from lakeloom.quality import proposals as module
from lakeloom.quality import shapes
from lakeloom.quality.forms import FORMS
from lakeloom.quality.profile import ColumnProfile, Reference, TableProfile
from lakeloom.quality.proposals import Proposal, form_of, margin, proposals
from lakeloom.quality.shapes import pattern_of, shape_of
from lakeloom.quality.spec import RuleSpec

FINITE = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.mark.parametrize("each", [module, shapes, profiles])
def test_the_examples_hold(each):
    assert doctest.testmod(each).failed == 0


@given(FINITE, FINITE)
def test_a_margin_goes_outwards_and_never_across_zero(one, other):
    low, high = sorted((one, other))
    below, above = margin(low, high)
    assert below <= low and high <= above
    assert (below >= 0) if low >= 0 else (below < 0)
    assert (above <= 0) if high <= 0 else (above > 0)
    if high > low:
        assert above - below <= 1.5 * (high - low)


CODES = st.lists(st.text("AZ09-./", min_size=1, max_size=8), min_size=1, max_size=6)


@given(CODES)
def test_a_pattern_matches_every_text_that_it_was_made_of(texts):
    pattern = pattern_of({shape_of(text) for text in texts})
    if pattern is not None:
        assert all(re.fullmatch(pattern, text) for text in texts)
        assert not re.fullmatch(pattern, texts[0] + "!") and not re.fullmatch(pattern, "")


def test_words_and_letters_of_any_size_are_no_codes():
    assert [pattern_of([shape_of(text)]) for text in ("Oslo", "new york", "zoë", "-", "")] == [None] * 5


@st.composite
def columns(draw):
    rows = draw(st.integers(0, 3000))
    nulls = draw(st.integers(0, rows)) if draw(st.booleans()) else 0
    kind = draw(st.sampled_from(["string", "bigint", "double", "timestamp", "date", "boolean", "array<int>"]))
    blank = draw(st.integers(0, rows - nulls)) if kind == "string" and draw(st.booleans()) else 0
    filled = rows - nulls - blank
    text, number = kind == "string", kind in ("bigint", "double")
    forms = dict.fromkeys(draw(st.lists(st.sampled_from(sorted(FORMS)), max_size=3)), filled) if text and filled else {}
    secrets = [f"secret{at}" for at in range(draw(st.integers(0, 8)))] if text and not forms else []
    counts = [filled // len(secrets)] * (len(secrets) - 1) if secrets else []
    values = tuple(zip(secrets, [*counts, filled - sum(counts)], strict=True)) if secrets else ()
    low = draw(FINITE) if number or forms else None
    return ColumnProfile(
        draw(st.sampled_from(["a", "b c", "email", "code", "created_at", "zip", "n`x", "day"])), kind, rows, nulls,
        distinct=draw(st.integers(0, max(rows, 1))), low=low, high=None if low is None else low + draw(st.floats(0, 1e6)),
        shortest=1 if text else None, longest=draw(st.integers(1, 9)) if text else None, blank=blank, blanks=("NA",) if blank else (),
        forms=forms, whole=5, places=draw(st.integers(0, 6)), zeros=draw(st.sampled_from([0, 0, 3])),
        looks=draw(st.dictionaries(st.sampled_from(["email", "card"]), st.integers(0, max(filled, 0)), max_size=1)) if text else {},
        values=values, shapes=((draw(st.sampled_from(["AA99", "Aaa", "99"])), filled),) if text else (),
        grows=draw(st.none() | st.floats(-1, 1)), tags=draw(st.sampled_from([(), ("pii",)])),
    )  # fmt: skip


@st.composite
def tables(draw):
    found = draw(st.lists(columns(), max_size=5, unique_by=lambda column: column.name))
    names = tuple(column.name for column in found)
    return TableProfile(
        "bronze.t", 3, max((column.rows for column in found), default=0), tuple(found), unique=(names[:2],) if names else (),
        references=tuple(Reference(name, "silver.x", "id", 4, draw(st.integers(0, 1)), draw(st.booleans())) for name in names[:2]),
        written=tuple(draw(st.lists(st.integers(0, 10**6), max_size=8))), gaps_s=tuple(draw(st.lists(st.floats(0, 1e7), max_size=8))),
    )  # fmt: skip


@given(tables(), st.booleans())
def test_every_proposal_has_evidence_a_confidence_and_rules_that_are_taken(table, raw):
    found = proposals(table, raw=raw)
    assert found == proposals(table, raw=raw)
    for each in found:
        assert each.says and each.evidence and each.confidence in ("high", "medium", "low") and each.config
        for rule in each.config.get("rules", ()):
            assert RuleSpec.model_validate(rule).title
    told = [(each.kind, each.columns) for each in found if each.kind != "key"]
    assert len(set(told)) == len(told)
    json.dumps([each.as_dict() for each in found])


@given(tables(), st.booleans())
def test_of_a_guarded_column_no_value_is_said(table, raw):
    guarded = {column.name for column in table.columns if column.guarded}
    for each in proposals(table, raw=raw):
        if guarded.intersection(each.columns):
            assert each.kind not in ("values", "range", "pattern", "length")
            assert "secret" not in json.dumps(each.as_dict())
    for column in table.as_dict()["columns"]:
        if column["guarded"]:
            assert not {"values", "low", "high", "shapes"} & set(column)


@given(columns())
def test_what_is_proposed_holds_of_the_profile(column):
    table = TableProfile("silver.t", 0, column.rows, (column,))
    for each in proposals(table):
        for rule in each.config.get("rules", ()):
            if rule["expect"] == "in_set":
                assert {value for value, _ in column.values} == set(rule["values"])
            if rule["expect"] == "values_between":
                assert rule["min"] <= column.low <= column.high <= rule["max"] and rule["otherwise"] == "warn"
            if rule["expect"] == "not_null":
                assert column.nulls <= rule["at_most"] * column.rows
        if each.kind == "nullable" and "columns" in each.config:
            assert column.nulls == 0
        if each.kind == "type":
            assert column.forms[form_of(column)] == column.filled


def one(name="a", kind="string", rows=2000, **more):
    return ColumnProfile(name, kind, rows, **more)


def told(column, kind):
    return [each for each in proposals(TableProfile("silver.t", 0, column.rows, (column,))) if each.kind == kind]


def test_a_code_with_leading_zeros_stays_a_text_and_two_readings_are_no_type_to_rely_on():
    assert form_of(one(forms={"whole": 2000, "number": 2000}, zeros=4)) is None
    assert form_of(one(forms={"whole": 2000, "yyyyMMdd": 2000})) == "whole"
    assert form_of(one("ship_date", forms={"whole": 2000, "yyyyMMdd": 2000})) == "yyyyMMdd"
    assert form_of(one(forms={"boolean": 2000}, distinct=1)) is None
    (both,) = told(one(forms={"dd/MM/yyyy": 2000, "MM/dd/yyyy": 2000}), "type")
    assert both.confidence == "low" and "can't be told apart" in both.evidence


def test_confidence_grows_with_the_rows_that_say_so():
    assert [told(one(rows=rows), "nullable")[0].confidence for rows in (10, 60, 5000)] == ["low", "medium", "high"]
    assert told(one("x", rows=2000, nulls=20), "nullable")[0].config["rules"][0]["at_most"] == 0.02
    assert told(one("x", rows=2000, nulls=500), "nullable") == []


def test_a_column_is_tagged_by_what_it_holds_whatever_it_is_called():
    (tag,) = told(one("contact", looks={"email": 1500}), "tag")
    assert tag == Proposal(
        "tag",
        ("contact",),
        "tags: [pii]",
        "1,500 of 2,000 values look like e-mail addresses",
        "high",
        {"columns": {"contact": {"tags": ["pii"]}}},
    )
    assert told(one("contact", looks={"email": 1500}, tags=("pii",)), "tag") == []
    # One number in ten has a right check digit by chance.
    assert told(one("number", looks={"card": 200}), "tag") == [] and not one("number", looks={"card": 200}).guarded


def test_executions_speak_of_freshness_and_volume():
    table = TableProfile(
        "silver.t", 0, 0, (), written=(100, 101, 99, 100, 102), gaps_s=(3600.0, 3600.0, 7200.0, 3599.0, 3600.0)
    )
    freshness, volume = proposals(table)
    assert (
        freshness.config == {"freshness": "4 hours"}
        and freshness.evidence == "6 executions, 1 hour apart in the middle, 2 hours at most"
    )
    assert volume.evidence == "5 executions wrote 99 to 102 rows" and volume.confidence == "medium"
    wild = dataclasses.replace(table, written=(1, 100, 101, 99, 100, 900))
    assert proposals(wild)[1].confidence == "low"
