"""Freshness, volume and distribution: the table against the clock and against the executions before.

Each result records a compact profile (a number of rows, a column's figures, shares of buckets) in the
execution's facts, from which later executions are judged; no older version is read again, and a replay
finds the same facts. A profile holds no row's category: values are counted in buckets of their hash.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from lakeloom.core import durations
from lakeloom.quality.background import Profile
from lakeloom.quality.columns import FRACTIONS, NUMBERS, wrong
from lakeloom.quality.history import robust_z, stability_index
from lakeloom.quality.questions import Ask, Outcome, Question, Subject

if TYPE_CHECKING:
    from pyspark.sql import Column

# Beyond these a figure is told: a robust z-score, and a population stability index.
FAR, MOVED = 3.5, 0.2
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BUCKETS = 32


def _fresh(subject: Subject) -> Question:
    from pyspark.sql import functions as F

    column, kind = subject.column()
    if kind not in ("timestamp", "timestamp_ntz", "date"):
        raise wrong(subject.rule, f"column '{subject.rule.column}' is {kind}, not a time", subject.where)
    allowed = durations.parse(str(subject.rule.within)).seconds
    clock = subject.background.clock
    if clock is None:
        raise wrong(subject.rule, "there is no clock to measure against here", subject.where, "leave it out here")

    def answer(found: Mapping[str, Any]) -> Outcome:
        if found["newest"] is None:
            return Outcome(passed=False)
        age = (clock - datetime.fromtimestamp(found["newest"] / 1e6, UTC)).total_seconds()
        return Outcome(age <= allowed, observed=round(age, 3))

    # As microseconds, so that no zone of this machine's Python is in between.
    return Question(answer, {"newest": F.unix_micros(F.max(column).cast("timestamp"))})


def _past(subject: Subject) -> list[Profile]:
    return list(subject.background.past(subject.rule.title))[: subject.rule.versions]


def _volume(subject: Subject) -> Question:
    from pyspark.sql import functions as F

    rule, whole = subject.rule, subject.rule.of == "table"

    def answer(found: Mapping[str, Any]) -> Outcome:
        rows = found["rows_now"] if whole else subject.background.rows_out
        if rows is None:  # the whole table was built: no figure to compare with single executions
            return Outcome(passed=True)
        before = [float(each["rows"]) for each in _past(subject) if "rows" in each]
        profile = {"rows": rows}
        if len(before) < rule.at_least:
            return Outcome(passed=True, observed=rows, profile=profile)
        score = robust_z(rows, before, rule.floor * abs(median(before)))
        return Outcome(score <= (FAR if rule.threshold is None else rule.threshold), observed=rows, profile=profile)

    return Question(answer, {"rows_now": F.count("*")} if whole else {})


def _distribution(subject: Subject) -> Question:
    _, kind = subject.column()
    return _of_numbers(subject) if kind.startswith(NUMBERS) else _of_categories(subject)


def _of_numbers(subject: Subject) -> Question:
    """Ask for mean, share of NULL and quantiles; the farthest of their z-scores decides."""
    from pyspark.sql import functions as F

    rule, (column, kind) = subject.rule, subject.column()
    number = column.cast("double")
    number = F.when(~F.isnan(number), number) if kind in FRACTIONS else number

    def answer(found: Mapping[str, Any]) -> Outcome:
        profile = {"nulls": found["nulls"]}
        if found["mean"] is not None:
            profile["mean"] = found["mean"]
            profile |= {f"q{quantile:g}": at for quantile, at in zip(_QUANTILES, found["at"], strict=True)}
        profile = {name: value for name, value in profile.items() if math.isfinite(value)}
        past = _past(subject)
        if len(past) < rule.at_least:
            return Outcome(passed=True, profile=profile)
        width = median([each["q0.95"] - each["q0.05"] for each in past if "q0.95" in each] or [0.0])
        scores = {}
        for name, value in profile.items():
            before = [float(each[name]) for each in past if name in each]
            if len(before) >= rule.at_least:
                least = rule.floor if name == "nulls" else rule.floor * (width or abs(median(before)))
                scores[name] = robust_z(value, before, least)
        farthest = max(scores, key=lambda name: scores[name], default="")
        limit = FAR if rule.threshold is None else rule.threshold
        passed = not farthest or scores[farthest] <= limit
        told = f"{farthest}: z {scores[farthest]:.3g}" if farthest else None
        return Outcome(passed, observed=told, profile=profile)

    figures = {
        "nulls": _share(F.count_if(column.isNull())),
        "mean": F.avg(number),
        "at": F.percentile_approx(number, list(_QUANTILES), 1000),
    }
    return Question(answer, figures)


def _of_categories(subject: Subject) -> Question:
    """Ask for the shares of the values' hashes in buckets, NULL in one of its own."""
    from pyspark.sql import functions as F

    rule, (column, _) = subject.rule, subject.column()
    bucket = F.pmod(F.xxhash64(column.cast("string")), F.lit(_BUCKETS))
    figures = {f"in_{at}": _share(F.count_if(column.isNotNull() & (bucket == at))) for at in range(_BUCKETS)}
    figures["nulls"] = _share(F.count_if(column.isNull()))

    def answer(found: Mapping[str, Any]) -> Outcome:
        shares = [round(found[f"in_{at}"], 6) for at in range(_BUCKETS)] + [round(found["nulls"], 6)]
        profile = {"shares": shares}
        past = [each["shares"] for each in _past(subject) if len(each.get("shares", ())) == len(shares)]
        if len(past) < rule.at_least:
            return Outcome(passed=True, profile=profile)
        index = stability_index(shares, past)
        limit = MOVED if rule.threshold is None else rule.threshold
        return Outcome(index <= limit, observed=f"psi {index:.3g}", profile=profile)

    return Question(answer, figures)


def _share(count: Column) -> Column:
    from pyspark.sql import functions as F

    return F.coalesce(count / F.nullif(F.count("*"), F.lit(0)), F.lit(0.0))


TRENDS: dict[str, Ask] = {"fresh": _fresh, "volume": _volume, "distribution": _distribution}
