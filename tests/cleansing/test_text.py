"""White space, case, Unicode's forms and patterns against Python's own, on texts of every sort."""

import random
import re
import unicodedata

import pytest

from lakeloom.cleansing.text import SPACES
from lakeloom.core.errors import CleansingError

# Names of columns that have to be quoted, each in its own way.
ODD = ["a b", "a.b", "select", "naïve", "back`tick"]
SOME = [
    None,
    "",
    " ",
    "\u00a0\u200b",
    "  a  b ",
    "\ufeffx",
    "e\u0301",
    "é",
    "ﬁn",
    "Ａ１",
    "İ",
    "ẞ",
    "ΟΔΟΣ",
    "\u1e9b\u0323",
    "각",
    "가",
    "😀 b",
    "a\nb",
]


def drawn(count, seed):
    alphabet = [*SPACES[:12], "\u00a0", "\u200b", "\ufeff", *"abÀéßΩz'-$\\1", "\u0301", "\u0327", "ﬁ", "😀", "Å"]
    chance = random.Random(seed)
    return [
        None if chance.random() < 0.1 else "".join(chance.choices(alphabet, k=chance.randrange(8)))
        for _ in range(count)
    ]


def stripped(text, form):
    bare = "".join(
        each for each in unicodedata.normalize(form.replace("C", "D"), text) if unicodedata.category(each) != "Mn"
    )
    return unicodedata.normalize(form, bare)


def squeezed(text):
    return re.sub(f"[{re.escape(SPACES)}]+", " ", text).strip(SPACES)


MODELS = {
    "trim": ({"trim": {"columns": ["c0"]}}, lambda text: text.strip(SPACES)),
    "trim inside": ({"trim": {"columns": "c0", "inside": True}}, squeezed),
    "lower": ({"lower": ["c0"]}, str.lower),
    "upper": ({"upper": "c0"}, str.upper),
    **{form: ({"normalise": {"columns": "c0", "form": form}}, lambda text, form=form: unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")},
    **{f"bare {form}": ({"normalise": {"columns": "c0", "form": form, "accents": "strip"}}, lambda text, form=form: stripped(text, form)) for form in ("NFC", "NFKD")},
    "replace": ({"replace": {"columns": "c0", "pattern": r"[ab]\s*", "by": "-"}}, lambda text: re.sub(r"[ab][ \t\n\v\f\r]*", "-", text)),
    "replace groups": ({"replace": {"columns": "c0", "pattern": "([ab])(z)?", "by": r"\$$2$1"}}, lambda text: re.sub("([ab])(z)?", lambda m: f"${m[2] or ''}{m[1]}", text)),
}  # fmt: skip


def test_every_text_verb_does_what_python_does(cleansed):
    data = [*SOME, *drawn(400, 1)]
    # One frame: each model works on a column of its own.
    verbs = []
    for index, (verb, _) in enumerate(MODELS.values()):
        ((name, arguments),) = verb.items()
        arguments = {"columns": arguments} if not isinstance(arguments, dict) else arguments
        verbs.append({name: arguments | {"columns": f"c{index}"}})
    rows = [(number, *[text] * len(MODELS)) for number, text in enumerate(data)]
    out = cleansed(rows, "id int, " + ", ".join(f"c{index} string" for index in range(len(MODELS))), verbs)
    for index, (title, (_, model)) in enumerate(MODELS.items()):
        wanted = [None if text is None else model(text) for text in data]
        assert out.values(f"c{index}") == wanted, title
        changed = sum(new != old for new, old in zip(wanted, data, strict=True))
        assert list(out.changed.values())[index] == changed > 0, title


def test_columns_with_odd_names_all_text_columns_and_a_row_counted_once(cleansed):
    schema = "id int, " + ", ".join(f"`{name.replace('`', '``')}` string" for name in ODD)
    rows = [(1, *[" x "] * 5), (2, *["x"] * 5), (3, *[None] * 5), (4, "x", "x", "x", "x", "x ")]
    out = cleansed(rows, schema, [{"trim": None}, {"upper": ODD}, {"upper": [name.upper() for name in ODD]}])
    assert [[row[name] for name in ODD] for row in out.rows] == [["X"] * 5, ["X"] * 5, [None] * 5, ["X"] * 5]
    assert out.columns == ["id", *ODD]
    assert out.changed == {"1_trim": 2, "2_upper": 3, "3_upper": 0}


def test_title_case_takes_words_as_spaces_part_them(cleansed):
    out = cleansed([(1, "jan VAN-dam"), (2, "école"), (3, None)], "id int, t string", [{"title": ["t"]}])
    assert out.values("t") == ["Jan Van-dam", "École", None]


def test_extracting_groups(cleansed):
    data = ["2026-01-05", "2026-01", "x", "", None, "  2026-12-31"]
    pattern = r"^(\d{4})-(\d\d)(?:-(\d\d))?$"
    verb = {"column": "t", "pattern": pattern, "into": ["year", "month", "day"]}
    out = cleansed(list(enumerate(data)), "id int, t string", [{"extract": verb}])
    found = [re.match(pattern, text) if text is not None else None for text in data]
    assert [tuple(row[name] for name in verb["into"]) for row in out.rows] == [
        each.groups() if each else (None,) * 3 for each in found
    ]
    assert out.faults == {
        number: ["extract:t"] for number, text in enumerate(data) if text is not None and not found[number]
    }
    assert out.unread[2] == [("t", "x")] and out.values("t") == data
    assert out.changed == {"1_extract": 2}
    lenient = cleansed(
        list(enumerate(data)), "id int, t string", [{"extract": verb | {"otherwise": "null", "into": ["t", "b", "c"]}}]
    )
    assert lenient.values("t") == ["2026", "2026", None, None, None, None] and "_faults" not in lenient.rows[0]


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        ({"trim": ["n"]}, "'n' is int, not text"),
        ({"trim": ["nmae"]}, "'nmae' is not there (id, n, name)"),
        ({"extract": {"column": "n", "pattern": "(x)", "into": "y"}}, "not text"),
    ],
)
def test_a_verb_that_does_not_fit_the_frame(cleansed, verb, says):
    with pytest.raises(CleansingError) as caught:
        cleansed([(1, 2, "x")], "id int, n int, name string", [verb])
    assert caught.value.code == "LL-CLEAN-002" and says in caught.value.message
    assert caught.value.where == f"clean.0.{next(iter(verb))}"
