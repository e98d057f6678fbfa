"""Entries under `clean:`: the one form, the short one, verbs of one's own, and mistakes told at their place."""

import json

import pytest
from pydantic import ValidationError

from lakeloom.cleansing import VERBS
from lakeloom.cleansing.base import Arguments, Columns, Verb
from lakeloom.cleansing.edits import Edit, edited
from lakeloom.cleansing.spec import VerbSpec, config_of, verbs_of
from lakeloom.core.errors import CleansingError, ConfigError


class Shout(Verb):
    """A verb of a project's own."""

    class Config(Arguments):
        columns: Columns
        marks: int = 1

    name = "shout"

    def apply(self, frame, tally):
        from pyspark.sql import functions as F

        values = [Edit(name, F.concat(name, F.lit("!" * self.config.marks))) for name in self.config.columns]
        return edited(frame, values, tally)


OWN = "tests.cleansing.test_spec:Shout"


def test_short_and_long_forms_say_the_same():
    for short, long in (
        ({"trim": ["a", "b"]}, {"trim": {"columns": ["a", "b"]}}),
        ({"lower": "a"}, {"lower": {"columns": ["a"]}}),
        ({"trim": None}, {"trim": {}}),
        ("deduplicate", {"deduplicate": {}}),
        ({"deduplicate": "id"}, {"deduplicate": {"by": ["id"]}}),
        ({"calendar": "day"}, {"calendar": {"column": "day"}}),
        (
            {"map": {"column": "a", "values": {"x": "y"}, "otherwise": None}},
            {"map": {"column": "a", "values": {"x": "y"}, "otherwise": "null"}},
        ),
        (
            {"parse": {"column": "a", "type": "int", "otherwise": None}},
            {"parse": {"columns": ["a"], "type": "int", "otherwise": "null"}},
        ),
        ({"fill": {"a": 1, "values": 2}}, {"fill": {"values": {"a": 1, "values": 2}}}),
        ({"rename": {"a": "b"}}, {"rename": {"names": {"a": "b"}}}),
    ):
        assert VerbSpec.model_validate(short) == VerbSpec.model_validate(long), short


def test_an_entry_can_be_dumped_read_again_and_hashed():
    entries = [
        {"convert": {"column": "w", "from": "lb", "to": "kg"}},
        {"trim": ["a"]},
        {"from_json": {"column": "d", "schema": {"a": "int"}}},
        {OWN: ["a"]},
    ]
    for spec in verbs_of(entries):
        written = json.loads(spec.model_dump_json())
        assert VerbSpec.model_validate(written) == spec and list(written) == [spec.verb]
    trim = VerbSpec.model_validate({"trim": ["a"]})
    assert verbs_of([trim]) == [trim]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_name_its_arguments_and_says_what_it_does(verb):
    config = config_of(verb)
    from lakeloom.core.kinds import pick

    kind = pick(verb, VERBS)
    assert kind.name == verb and issubclass(kind, Verb) and issubclass(config, Arguments)
    assert kind.__doc__ and config.__doc__ and config.model_config["extra"] == "forbid"


@pytest.mark.parametrize(
    ("entry", "code", "says", "place"),
    [
        ({"trim": ["a"], "lower": ["b"]}, "LL-CLEAN-001", "one verb", "clean.0"),
        ([], "LL-CLEAN-001", "one verb", "clean.0"),
        ({"trmi": ["a"]}, "LL-CONF-020", "'trmi' is unknown", "clean.0"),
        ({"no.such:Verb": ["a"]}, "LL-CONF-021", "can't be imported", "clean.0"),
        ({"lower": []}, "LL-CLEAN-001", "columns", "clean.0.lower.columns"),
        ({"lower": {"column": "a"}}, "LL-CLEAN-001", "columns", "clean.0.lower.columns"),
        ({"parse": {"column": "a", "type": "nubmer"}}, "LL-CLEAN-001", "is no type to parse", "clean.0.parse.type"),
        ({"parse": {"column": "a", "type": "decimal(39,2)"}}, "LL-CLEAN-001", "is no type", "clean.0.parse.type"),
        (
            {"parse": {"column": "a", "type": "int", "zone": "UTC"}},
            "LL-CLEAN-001",
            "'zone' says nothing about int",
            "clean.0.parse",
        ),
        (
            {"parse": {"column": "a", "type": "date", "zone": "Europe/Amsterdm"}},
            "LL-CLEAN-001",
            "is no time zone",
            "clean.0.parse",
        ),
        (
            {"parse": {"column": "a", "type": "date", "formats": "JJJJ-MM"}},
            "LL-CLEAN-001",
            "'J' is no letter",
            "clean.0.parse",
        ),
        ({"parse": {"column": "a", "type": "date", "formats": "MM-dd"}}, "LL-CLEAN-001", "no year", "clean.0.parse"),
        (
            {"parse": {"column": "a", "type": "date", "formats": "yyyy-MM-dd'T"}},
            "LL-CLEAN-001",
            "don't match",
            "clean.0.parse",
        ),
        (
            {"parse": {"column": "a", "type": "timestamp", "formats": "yyyy[ XXX]"}},
            "LL-CLEAN-001",
            "in an optional part",
            "clean.0.parse",
        ),
        (
            {"parse": {"column": "a", "type": "timestamp_ntz", "formats": "yyyy XXX"}},
            "LL-CLEAN-001",
            "has none",
            "clean.0.parse",
        ),
        (
            {"parse": {"column": "a", "type": "timestamp_ntz", "formats": "unix"}},
            "LL-CLEAN-001",
            "is a moment",
            "clean.0.parse",
        ),
        (
            {"parse": {"column": "a", "type": "date", "formats": "yyyy-MMMMM-dd"}},
            "LL-CLEAN-001",
            "longer than",
            "clean.0.parse",
        ),
        (
            {"parse": {"columns": ["a", "b"], "type": "int", "into": "c"}},
            "LL-CLEAN-001",
            "are several",
            "clean.0.parse",
        ),
        (
            {"parse": {"column": "a", "type": "int", "decimal": ",", "group": ","}},
            "LL-CLEAN-001",
            "two signs",
            "clean.0.parse",
        ),
        (
            {"replace": {"columns": "a", "pattern": "(", "by": ""}},
            "LL-CLEAN-001",
            "does not compile",
            "clean.0.replace",
        ),
        (
            {"replace": {"columns": "a", "pattern": "(x)", "by": "$2"}},
            "LL-CLEAN-001",
            "names group 2",
            "clean.0.replace",
        ),
        ({"replace": {"columns": "a", "pattern": "x", "by": "5 $"}}, "LL-CLEAN-001", "$ without", "clean.0.replace"),
        (
            {"extract": {"column": "a", "pattern": "(x)", "into": ["b", "c"]}},
            "LL-CLEAN-001",
            "1 groups",
            "clean.0.extract",
        ),
        ({"rename": {"a": "_b"}}, "LL-CLEAN-001", "lakeloom's own", "clean.0.rename"),
        ({"rename": {"a": "x", "b": "X"}}, "LL-CLEAN-001", "one name", "clean.0.rename"),
        ({"calendar": {"column": "a", "parts": ["yaer"]}}, "LL-CLEAN-001", "'year'", "clean.0.calendar.parts.0"),
    ],
)
def test_mistakes_from_python_are_coded_with_their_place(entry, code, says, place):
    with pytest.raises((CleansingError, ConfigError)) as caught:
        verbs_of([entry])
    assert (caught.value.code, caught.value.where) == (code, place) and says in caught.value.message


def test_mistakes_of_pydantic_itself_are_of_one_kind():
    with pytest.raises(ValidationError) as caught:
        VerbSpec.model_validate({"deduplicate": {"alike": {"columns": "a", "block": "b", "at_lest": 1}}})
    assert caught.value.errors()[0]["loc"] == ("deduplicate", "alike", "at_lest")


def test_a_verb_of_ones_own(cleansed):
    out = cleansed([(1, "a"), (2, None)], "id int, t string", [{OWN: {"columns": "t", "marks": 2}}, {OWN: ["t"]}])
    assert out.values("t") == ["a!!!", None] and out.changed == {"1_Shout": 1, "2_Shout": 1}


def test_columns_by_name(cleansed):
    out = cleansed(
        [(1, "x", 2)], "id int, `a b` string, c int", [{"rename": {"A b": "é", "c": "a b"}}, {"drop": ["id"]}]
    )
    assert out.columns == ["é", "a b"] and out.rows[0]["a b"] == 2 and list(out.changed.values()) == [0, 0]
    with pytest.raises(CleansingError, match="there is a column 'C' already"):
        cleansed([], "a int, c int", [{"rename": {"a": "C"}}])
