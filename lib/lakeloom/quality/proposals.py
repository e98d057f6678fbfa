"""A table's profile → a contract and rules to propose, each with its evidence.

Pure: the same profile gives the same proposals. Everything proposed holds of the profiled rows, so that a
table takes it as it is; how sure it is that it also holds of rows to come is the confidence. ``high``: at
least `SURE` rows say so and none against it. ``medium``: at least `ENOUGH`. ``low``: fewer, or there is
another reading; it is told and not written into the YAML.

Ranges have a margin: a tenth of the width on either side, rounded outwards to two digits of the width, and
not beyond 0 where no value is. They warn, since a new extreme is news and no fault.

No value of a guarded column is in any text here: such a column gets its tag, its type and nullability alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import chain
from statistics import median
from typing import Any

from lakeloom.quality.columns import INTEGERS, NUMBERS
from lakeloom.quality.forms import FORMS, RIVALS
from lakeloom.quality.history import robust_z
from lakeloom.quality.personal import GUARDED_TAGS, LOOKS, tag_of, words
from lakeloom.quality.profile import ColumnProfile, TableProfile
from lakeloom.quality.shapes import pattern_of

SURE, ENOUGH = 1000, 50
# A set of values is small, and each value stands for many rows.
_SET, _EACH = 20, 20
_MARGIN = 0.1
_TIMES = ("date", "timestamp", "timestamp_ntz")
_TIME_WORDS = frozenset(["at", "on", "time", "date", "day", "when", "ts", "timestamp", "created", "updated", "changed"])
_SPARSE = 0.05
# Of executions, how many say something about the next.
_EXECUTIONS = 5


@dataclass(frozen=True)
class Proposal:
    """One thing to declare.

    Attributes
    ----------
    kind : str
        type, nullable, tag, values, range, pattern, length, key, reference, event_time, freshness or volume.
    columns : tuple of str
        What it is about; empty for the whole table.
    says : str
        What is proposed, in a few words.
    evidence : str
        What speaks for it: counts and figures, never a person's value.
    confidence : {'high', 'medium', 'low'}
    config : dict
        Where it goes in a table's entry: ``columns``, ``clean``, ``keys``, ``rules``, ``event_time``, ``freshness``.
    """

    kind: str
    columns: tuple[str, ...]
    says: str
    evidence: str
    confidence: str
    config: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the proposal for ``--json``."""
        return {
            "kind": self.kind, "columns": list(self.columns), "says": self.says, "evidence": self.evidence,
            "confidence": self.confidence, "config": dict(self.config),
        }  # fmt: skip


def proposals(profile: TableProfile, *, raw: bool = False) -> list[Proposal]:
    """Return what to declare for a table: column by column, then of the whole.

    Parameters
    ----------
    raw : bool
        Whether the table is bronze: texts are then to be trimmed, emptied and parsed, and the proposals are of
        the table that is made of them.
    """
    singles = {names[0] for names in profile.unique if len(names) == 1}
    found = list(chain.from_iterable(_of_column(column, raw, singles) for column in profile.columns))
    return [*found, *_keys(profile), *_references(profile), *_time(profile, raw), *_history(profile)]


def confidence(rows: int) -> str:
    """Return how sure a thing is that holds of so many rows."""
    return "high" if rows >= SURE else "medium" if rows >= ENOUGH else "low"


def _of_column(column: ColumnProfile, raw: bool, singles: set[str]) -> Iterator[Proposal]:
    yield from _tag(column)
    yield from _nullable(column, raw)
    form = form_of(column) if column.type == "string" else None
    if form is not None:
        yield _typed(column, form)
    if column.guarded:
        return
    if form is None and column.type == "string" and not (column.blank and not raw):
        yield from _values(column)
    elif column.name in singles or (column.grows or 0) > 1 - _SPARSE:
        return  # numbers that count on have no range
    elif form in ("whole", "number") or column.type.startswith(NUMBERS):
        yield from _range(column, whole=form == "whole" or column.type in INTEGERS)


def _tag(column: ColumnProfile) -> Iterator[Proposal]:
    if GUARDED_TAGS.intersection(column.tags):
        return
    look, named = column.looks_like, tag_of(column.name)
    if look is not None:
        rows = column.looks[look]
        evidence = f"{rows:,} of {column.filled:,} values look like {LOOKS[look]}"
        yield _tagged(column, "pii", evidence, confidence(rows) if rows >= ENOUGH else "medium")
    elif named is not None:
        yield _tagged(column, named, "by its name; no value was looked at for it", "medium")
    elif column.guarded:
        look, rows = max(column.looks.items(), key=lambda pair: pair[1])
        evidence = f"{rows:,} of {column.filled:,} values look like {LOOKS[look]}"
        yield _tagged(column, "pii", evidence, "low")


def _tagged(column: ColumnProfile, tag: str, evidence: str, sure: str) -> Proposal:
    return Proposal(
        "tag", (column.name,), f"tags: [{tag}]", evidence, sure, {"columns": {column.name: {"tags": [tag]}}}
    )


def _nullable(column: ColumnProfile, raw: bool) -> Iterator[Proposal]:
    nulls = column.nulls + (column.blank if raw else 0)
    if not column.rows:
        return
    evidence = f"{nulls:,} of {column.rows:,} NULL" + (" or empty" if raw and column.blank else "")
    if not nulls:
        config = {"columns": {column.name: {"nullable": False}}}
        yield Proposal("nullable", (column.name,), "never NULL", evidence, confidence(column.rows), config)
    elif nulls < _SPARSE * column.rows:
        share = _outwards(2 * nulls / column.rows, up=True, digits=2)
        rule = {"column": column.name, "expect": "not_null", "at_most": share, "otherwise": "warn"}
        says = f"NULL in at most {share:.4g} of the rows"
        yield Proposal("nullable", (column.name,), says, evidence, confidence(column.rows), {"rules": [rule]})


def form_of(column: ColumnProfile) -> str | None:
    """Return the form that every text of a column has, the preferred one of several; None where there is none."""
    fitting = [form for form in FORMS if column.forms.get(form) == column.filled]
    if not column.filled or not fitting:
        return None
    numbers = ("whole", "number", "number with a comma")
    # A day written as eight digits is a whole number too: the column's name decides.
    if "yyyyMMdd" in fitting and {"date", "day", "dt"} & set(words(column.name)):
        return "yyyyMMdd"
    if column.zeros and fitting[0] in numbers:
        # 007 is a code; 0 and 0.5 begin with no needless zero.
        return None
    if fitting[0] == "boolean" and (column.distinct or 0) != 2:
        fitting = fitting[1:]
    return fitting[0] if fitting else None


def _typed(column: ColumnProfile, form: str) -> Proposal:
    known = FORMS[form]
    kind = _decimal(column) if form == "number" else known.type
    verb: dict[str, Any] = {"column": column.name, "type": kind} | known.more
    rival = RIVALS.get(form)
    twice = rival is not None and column.forms.get(rival) == column.filled
    evidence = f"{column.filled:,} of {column.filled:,} texts" + ("" if form == "whole" else f" ({form})")
    if column.blank:
        evidence += f"; {column.blank:,} stand for nothing"
    sure = confidence(column.filled) if column.filled >= ENOUGH else "medium"
    if twice:
        sure, evidence = "low", f"{evidence}; all fit {rival} too: day and month can't be told apart"
    config = {"clean": [{"parse": verb}], "columns": {column.name: {"type": kind}}}
    return Proposal("type", (column.name,), kind, evidence, sure, config)


def _decimal(column: ColumnProfile) -> str:
    whole, places = column.whole or 1, column.places or 0
    exact = column.forms.get("number") and 0 < places <= 4 and whole + places <= 15
    return f"decimal({max(whole + places + 3, 10)},{places})" if exact else "double"


def _values(column: ColumnProfile) -> Iterator[Proposal]:
    rule: dict[str, Any]
    rows = sum(count for _, count in column.values)
    known = [value for value, _ in column.values]
    if column.values and len(known) <= _SET and rows >= _EACH * len(known) and rows == column.filled:
        least = min(count for _, count in column.values)
        evidence = f"{len(known)} distinct values in {rows:,} rows, the rarest {least:,} times"
        rule = {"column": column.name, "expect": "in_set", "values": sorted(known)}
        rule |= {} if least >= _EACH else {"otherwise": "warn"}
        yield Proposal("values", (column.name,), _few(known), evidence, confidence(rows), {"rules": [rule]})
        return
    shaped = sum(count for _, count in column.shapes)
    pattern = pattern_of([shape for shape, _ in column.shapes]) if shaped == column.filled else None
    if pattern is not None and column.filled:
        shapes = len(column.shapes)
        evidence = f"{shaped:,} of {shaped:,} texts, of {shapes} shape{'s' if shapes > 1 else ''}"
        rule = {"column": column.name, "expect": "match_regex", "pattern": pattern}
        yield Proposal("pattern", (column.name,), pattern, evidence, confidence(shaped), {"rules": [rule]})
    elif column.longest is not None and column.shortest == column.longest and (column.distinct or 0) > 1:
        evidence = f"all {column.filled:,} texts are {column.longest} letters long"
        rule = {"column": column.name, "expect": "length_equals", "value": column.longest}
        sure = confidence(column.filled)
        yield Proposal("length", (column.name,), f"length {column.longest}", evidence, sure, {"rules": [rule]})


def _few(values: list[Any]) -> str:
    shown = ", ".join(str(value) for value in sorted(values)[:6])
    return f"one of {shown}" + (f" and {len(values) - 6} more" if len(values) > 6 else "")


def _range(column: ColumnProfile, *, whole: bool) -> Iterator[Proposal]:
    if column.low is None or column.high is None or column.low == column.high:
        return
    low, high = margin(float(column.low), float(column.high))
    bounds: tuple[float, float] = (math.floor(low), math.ceil(high)) if whole else (low, high)
    rule = {"column": column.name, "expect": "values_between", "min": bounds[0], "max": bounds[1], "otherwise": "warn"}
    evidence = (
        f"{_number(column.low)} to {_number(column.high)} in {column.filled:,} values; a tenth of the width as margin"
    )
    says = f"from {_number(bounds[0])} to {_number(bounds[1])}"
    yield Proposal("range", (column.name,), says, evidence, confidence(column.filled), {"rules": [rule]})


def margin(low: float, high: float) -> tuple[float, float]:
    """Return a range around another: a tenth of its width on either side, rounded outwards, never across 0.

    Examples
    --------
    >>> margin(17.0, 4983.0)
    (0.0, 5500.0)
    >>> margin(-40.5, -3.2)
    (-45.0, 0.0)
    """
    extra = (high - low) * _MARGIN
    if not math.isfinite(extra):
        return low, high
    # Two digits of the width: the bounds are as exact as the range is wide.
    unit = Decimal(1).scaleb(Decimal(high - low).adjusted() - 1) if high > low else Decimal(1)
    below = float((Decimal(low - extra) / unit).to_integral_value(ROUND_FLOOR) * unit)
    above = float((Decimal(high + extra) / unit).to_integral_value(ROUND_CEILING) * unit)
    return (0.0 if low >= 0 > below else min(below, low)), (0.0 if high <= 0 < above else max(above, high))


def _outwards(value: float, *, up: bool, digits: int) -> float:
    """Return a positive number rounded away from its value to so many digits."""
    number = Decimal(repr(value))
    unit = Decimal(1).scaleb(number.adjusted() - digits + 1)
    return float((number / unit).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * unit)


def _number(value: Any) -> str:
    return f"{float(value):,.6g}"


def _keys(profile: TableProfile) -> Iterator[Proposal]:
    for at, names in enumerate(profile.unique):
        evidence = f"{profile.rows:,} distinct of {profile.rows:,} rows, counted exactly"
        sure = confidence(profile.rows)
        if at:
            # One of them is the key; the others are rules that hold.
            sure, evidence = "low", f"{evidence}; also a key"
        yield Proposal("key", names, f"keys: [{', '.join(names)}]", evidence, sure, {"keys": list(names)})


def _references(profile: TableProfile) -> Iterator[Proposal]:
    for each in profile.references:
        if each.missing or not each.distinct:
            continue
        there = f"all {each.distinct:,} distinct values are among the keys of {each.to}"
        column = profile.column(each.column)
        sure = confidence(column.filled) if each.named or each.distinct >= _EACH else "low"
        rule: dict[str, Any] = {"column": each.column, "expect": "references", "to": each.to}
        rule |= {} if each.to_column == each.column else {"to_columns": [each.to_column]}
        rule |= {} if each.named else {"otherwise": "warn"}
        says = f"references {each.to}.{each.to_column}"
        yield Proposal("reference", (each.column,), says, there, sure, {"rules": [rule]})


def _time(profile: TableProfile, raw: bool) -> Iterator[Proposal]:
    found = []
    for column in profile.columns:
        form = form_of(column) if raw and column.type == "string" else None
        kind = FORMS[form].type if form else column.type
        if kind not in _TIMES or column.guarded or column.filled < (1 - _SPARSE) * column.rows or not column.rows:
            continue
        grows = column.grows or 0.0
        called = bool(_TIME_WORDS.intersection(words(column.name)))
        found.append((grows > 1 - _SPARSE, called, kind != "date", grows, column))
    found.sort(key=lambda entry: entry[:4], reverse=True)
    for at, (steady, called, _, grows, column) in enumerate(found):
        reasons = [f"{column.filled:,} of {column.rows:,} rows have it"]
        reasons += [f"it grows with the order of arrival (correlation {grows:.3f})"] if steady else []
        reasons += ["its name speaks of time"] if called else []
        sure = confidence(column.filled) if not at and (steady or called) else "low"
        config = {"event_time": column.name}
        yield Proposal("event_time", (column.name,), "event_time", "; ".join(reasons), sure, config)


def _history(profile: TableProfile) -> Iterator[Proposal]:
    if len(profile.gaps_s) >= _EXECUTIONS:
        longest = max(profile.gaps_s)
        allowed = _duration(2 * longest)
        middle = _duration(median(profile.gaps_s))
        evidence = f"{len(profile.gaps_s) + 1} executions, {middle} apart in the middle, {_duration(longest)} at most"
        # A freshness is of an event time: without one there is nothing to measure.
        yield Proposal("freshness", (), f"freshness: {allowed}", evidence, "medium", {"freshness": allowed})
    if len(profile.written) >= _EXECUTIONS:
        floor = _SPARSE * median(profile.written)
        far = max(robust_z(rows, profile.written, floor) for rows in profile.written)
        evidence = f"{len(profile.written)} executions wrote {min(profile.written):,} to {max(profile.written):,} rows"
        rule: dict[str, Any] = {"expect": "volume", "of": "execution"}
        steady = "medium" if far <= 3.5 else "low"
        yield Proposal("volume", (), "volume as before", evidence, steady, {"rules": [rule]})


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = math.ceil(seconds / size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    count = max(1, math.ceil(seconds))
    return f"{count} second{'s' if count > 1 else ''}"
