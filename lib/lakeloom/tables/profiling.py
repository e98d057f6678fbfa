"""A frame → its profile, by a fixed number of passes; nothing but figures and few values leaves Spark.

One pass aggregates the texts, all columns by one set of aggregates, so that 500 columns make no larger plan
than five; one aggregates the other columns. A further one counts the values of columns that have few, the
shapes of codes, and the texts that `parse` reads as another type. Keys are proven by exact counts: of the
columns that may be one together, of pairs of columns only where no column is a key. Each reference is one
look-up of distinct values. No row is sampled, no table is collected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from lakeloom.cleansing.parsing import Parse
from lakeloom.cleansing.text import SPACES
from lakeloom.core.names import quoted
from lakeloom.quality.columns import FRACTIONS, INTEGERS, NUMBERS
from lakeloom.quality.forms import BLANKS, FORMS
from lakeloom.quality.personal import looks
from lakeloom.quality.profile import ColumnProfile, Reference

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

TIMES = ("date", "timestamp", "timestamp_ntz")
# So many columns that are no texts make one aggregate.
_TOGETHER = 60
# So many values of a column are few; so many shapes are those of codes; so long a code may be.
_FEW, _SHAPES, _LONGEST = 30, 12, 40
# So many columns, and pairs of columns, are counted exactly.
_KEYS, _PAIRS = 8, 12
_SLACK = 0.9


def profiled(frame: DataFrame, tags: Mapping[str, Sequence[str]]) -> tuple[ColumnProfile, ...]:
    """Return the profiles of a frame's own columns: names that begin with ``_`` are the platform's.

    Parameters
    ----------
    tags : mapping
        Column → the tags of its contract.
    """
    from pyspark.sql import functions as F

    own = [(name, kind) for name, kind in frame.dtypes if not name.startswith("_")]
    order = _arrival(frame)
    texts = [name for name, kind in own if kind == "string"]
    figures = _texts(frame, texts) if texts else {}
    others = [(name, kind) for name, kind in own if kind != "string"]
    for at in range(0, len(others), _TOGETHER):
        part = others[at : at + _TOGETHER]
        asked = [_figures(_col(name), kind, order) for name, kind in part]
        columns = [figure.alias(f"{word}_{index}") for index, each in enumerate(asked) for word, figure in each.items()]
        row = frame.agg(F.count("*").alias("rows"), *columns).first()
        assert row is not None  # an aggregate without groups has one row
        for index, (name, _) in enumerate(part):
            figures[name] = {word: row[f"{word}_{index}"] for word in asked[index]} | {"rows": row["rows"]}
    nothing = {"rows": 0, "nulls": 0}
    found = [_profile(name, kind, figures.get(name, nothing), tuple(tags.get(name, ()))) for name, kind in own]
    return _with_values(frame, found)


def _col(name: str) -> Column:
    """Return a frame's column, whatever is in its name."""
    from pyspark.sql import functions as F

    return F.col(quoted(name))


def _arrival(frame: DataFrame) -> Column | None:
    """Return a number that grows with the order of arrival, None where rows don't know it."""
    from pyspark.sql import functions as F

    if "_position" not in frame.columns:
        return None
    parts = [F.col(f"_position.{part}").cast("double") for part in ("epoch", "file", "record")]
    return parts[0] * 1e10 + parts[1] * 1e6 + parts[2]


def _figures(column: Column, kind: str, order: Column | None) -> dict[str, Column]:
    from pyspark.sql import functions as F

    asked = {"nulls": F.count_if(column.isNull())}
    if kind.startswith(("map<", "variant")):
        return asked
    asked["distinct"] = F.approx_count_distinct(column, 0.02)
    if kind.startswith(NUMBERS):
        finite = F.when(~F.isnan(column), column) if kind in FRACTIONS else column
        asked |= {"low": F.min(finite), "high": F.max(finite)}
    if kind in TIMES:
        # As text: a year beyond Python's must not break the profile.
        asked |= {"low": F.min(column).cast("string"), "high": F.max(column).cast("string")}
    if order is not None and (kind in TIMES or kind in INTEGERS):
        number = F.unix_micros(column.cast("timestamp")) if kind in TIMES else column
        asked["grows"] = F.corr(number.cast("double"), order)
    return asked


def _texts(frame: DataFrame, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the figures of text columns: their texts below each other, told apart by a number."""
    from pyspark.sql import functions as F

    parts = [F.struct(F.lit(at).alias("at"), _col(name).alias("text")) for at, name in enumerate(names)]
    rows = frame.select(F.explode(F.array(*parts)).alias("one")).select("one.*")
    column = F.col("text")
    asked = {"rows": F.count("*"), "nulls": F.count_if(column.isNull())} | _of_text(column)
    counted = rows.groupBy("at").agg(*[figure.alias(word) for word, figure in asked.items()]).collect()
    return {names[row["at"]]: row.asDict() for row in counted}


def _of_text(column: Column) -> dict[str, Column]:
    from pyspark.sql import functions as F

    trimmed = F.btrim(column, F.lit(SPACES))
    means = ~trimmed.isin(list(BLANKS))
    text = F.when(means, trimmed)
    number = F.when(text.rlike(FORMS["number"].shape), text.try_cast("double"))
    asked = {
        "distinct": F.approx_count_distinct(text, 0.02),
        "shortest": F.min(F.length(column)),
        "longest": F.max(F.length(column)),
        "blank": F.count_if(column.isNotNull() & ~means),
        "blanks": F.collect_set(F.when(~means, trimmed)),
        "whole": F.max(F.when(number.isNotNull(), F.length(F.regexp_extract(text, r"^[+-]?(\d*)", 1)))),
        "places": F.max(F.when(number.isNotNull(), F.length(F.regexp_extract(text, r"\.(\d*)", 1)))),
        "zeros": F.count_if(text.rlike(r"^[+-]?0\d")),
        "low": F.min(number),
        "high": F.max(number),
        "shapes": F.approx_count_distinct(F.when(F.length(text) <= _LONGEST, _shape(text)), 0.05),
    }
    # Which forms are worth a try; whether a text is one is seen in the second pass.
    asked |= {f"form{at}": F.count_if(text.rlike(form.shape)) for at, form in enumerate(FORMS.values())}
    return asked | {f"looks{kind}": F.count_if(holds) for kind, holds in looks(text).items()}


def _shape(text: Column) -> Column:
    """Return the shape of a text, as `lakeloom.quality.shapes.shape_of`."""
    from pyspark.sql import functions as F

    for pattern, sign in (("[0-9]", "9"), ("[A-Z]", "A"), ("[a-z]", "a")):
        text = F.regexp_replace(text, pattern, sign)
    return text


def _profile(name: str, kind: str, found: Mapping[str, Any], tags: tuple[str, ...]) -> ColumnProfile:
    forms = {form: found.get(f"form{at}") or 0 for at, form in enumerate(FORMS)}
    looked = {key.removeprefix("looks"): value for key, value in found.items() if key.startswith("looks")}
    grows = found.get("grows")
    return ColumnProfile(
        name, kind, found["rows"], found["nulls"],
        distinct=found.get("distinct"), low=found.get("low"), high=found.get("high"),
        shortest=found.get("shortest"), longest=found.get("longest"),
        blanks=tuple(sorted(found.get("blanks") or ())), blank=found.get("blank") or 0,
        forms={form: count for form, count in forms.items() if count},
        whole=found.get("whole"), places=found.get("places"), zeros=found.get("zeros") or 0,
        looks={look: count for look, count in looked.items() if count},
        # Not yet the shapes, but how many there are: the second pass replaces them.
        shapes=((str(found["shapes"]), 0),) if found.get("shapes") else (),
        grows=grows if grows is not None and grows == grows else None,
        tags=tags,
    )  # fmt: skip


def _with_values(frame: DataFrame, columns: Sequence[ColumnProfile]) -> tuple[ColumnProfile, ...]:
    """Return the profiles with the values of columns that have few, shapes and forms of texts; one more pass."""
    from pyspark.sql import functions as F

    asked: dict[tuple[str, str], Column] = {}
    for each in columns:
        for form in _worth_trying(each):
            asked[each.name, form] = _fits(_col(each.name), form).cast("string")
        # As it stands: what is proposed must hold of the rows as they are.
        text = _col(each.name)
        means = ~F.btrim(text.cast("string"), F.lit(SPACES)).isin(list(BLANKS))
        few = each.type == "string" and each.distinct is not None and 0 < each.distinct <= _FEW
        if few and not each.guarded:
            asked[each.name, "values"] = F.when(means, text)
        if each.shapes and int(each.shapes[0][0]) <= _SHAPES and (each.longest or 0) <= _LONGEST:
            asked[each.name, "shapes"] = _shape(F.when(means, text))
    counted: dict[tuple[str, str], list[tuple[str, int]]] = {key: [] for key in asked}
    if asked:
        keys = list(asked)
        parts = [F.struct(F.lit(at).alias("at"), asked[key].alias("value")) for at, key in enumerate(keys)]
        rows = frame.select(F.explode(F.array(*parts)).alias("one")).where("one.value IS NOT NULL")
        for row in rows.groupBy("one.at", "one.value").count().limit(2 * _FEW * len(keys)).collect():
            counted[keys[row["at"]]].append((row["value"], row["count"]))
    found = []
    for each in columns:
        values = tuple(sorted(counted.get((each.name, "values"), ()), key=lambda pair: (-pair[1], pair[0])))
        shapes = tuple(sorted(counted.get((each.name, "shapes"), ()), key=lambda pair: (-pair[1], pair[0])))
        forms = {form: dict(counted[each.name, form]).get("true", 0) for form in _worth_trying(each)}
        made = replace(each, values=values, shapes=shapes, forms=forms)
        found.append(replace(made, distinct=len(values)) if values else made)
    return tuple(found)


def _worth_trying(column: ColumnProfile) -> list[str]:
    """Return the forms whose shape every text of the column has."""
    return [form for form, count in column.forms.items() if count == column.filled]


def _fits(text: Column, form: str) -> Column:
    """Return whether the verb that would be proposed reads a text; NULL where it stands for nothing."""
    from pyspark.sql import functions as F

    known, trimmed = FORMS[form], F.btrim(text, F.lit(SPACES))
    read = Parse(Parse.Config.model_validate({"columns": ["x"], "type": known.type} | known.more))
    return F.when(~trimmed.isin(list(BLANKS)), read.value(trimmed).isNotNull())


def keys(frame: DataFrame, columns: Sequence[ColumnProfile]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the columns and pairs that tell every row from every other, and those that were counted and do not."""
    able = [each for each in columns if each.rows and not each.nulls and not each.blank and _comparable(each.type)]
    single = [(each.name,) for each in able if (each.distinct or 0) >= _SLACK * each.rows]
    single.sort(key=lambda names: _rank(names, columns))
    unique, repeated = _proven(frame, single[:_KEYS])
    if unique or not able:
        return unique, repeated
    distinct = {each.name: each.distinct or 0 for each in able}
    pairs = [pair for pair in combinations(distinct, 2) if distinct[pair[0]] * distinct[pair[1]] >= able[0].rows]
    # Fractions tell rows apart by chance: they are no part of a key.
    pairs = [pair for pair in pairs if not any(_type(name, columns).startswith(("float", "double")) for name in pair)]
    pairs.sort(key=lambda pair: _rank(pair, columns))
    more = _proven(frame, pairs[:_PAIRS])
    return more[0], [*repeated, *more[1]]


def _rank(names: tuple[str, ...], columns: Sequence[ColumnProfile]) -> tuple[int, int]:
    """Return what is looked at first: columns called so, whole numbers and texts, those that come first."""
    called = sum(not name.lower().endswith(("id", "key", "code", "number", "no", "nr")) for name in names)
    odd = sum(not _type(name, columns).startswith((*INTEGERS, "string", "date")) for name in names)
    places = sum(next(at for at, each in enumerate(columns) if each.name == name) for name in names)
    return called + odd, places


def _type(name: str, columns: Sequence[ColumnProfile]) -> str:
    return next(each.type for each in columns if each.name == name)


def _comparable(kind: str) -> bool:
    return "map<" not in kind and "variant" not in kind and kind != "binary"


def _proven(
    frame: DataFrame, candidates: Sequence[tuple[str, ...]]
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    from pyspark.sql import functions as F

    if not candidates:
        return [], []
    counts = [F.count_distinct(*[_col(name) for name in names]).alias(f"k{at}") for at, names in enumerate(candidates)]
    row = frame.agg(F.count("*").alias("rows"), *counts).first()
    assert row is not None  # an aggregate without groups has one row
    holds = [row[f"k{at}"] == row["rows"] for at in range(len(candidates))]
    unique = [names for names, held in zip(candidates, holds, strict=True) if held]
    return unique, [names for names, held in zip(candidates, holds, strict=True) if not held]


def looked_up(frame: DataFrame, candidates: Iterable[tuple[str, str, str, DataFrame, bool]]) -> tuple[Reference, ...]:
    """Return what was found of each candidate: (column, other table, its column, its rows, whether named so)."""
    from pyspark.sql import functions as F

    found = []
    for column, to, to_column, there, named in candidates:
        mine = frame.select(_col(column).alias("v")).where("v IS NOT NULL").distinct()
        theirs = there.select(_col(to_column).alias("v"), F.lit(True).alias("there")).distinct()
        joined = mine.join(theirs, "v", "left")
        row = joined.agg(F.count("*").alias("all"), F.count_if(F.col("there").isNull()).alias("missing")).first()
        assert row is not None  # an aggregate without groups has one row
        found.append(Reference(column, to, to_column, row["all"], row["missing"], named))
    return tuple(found)
