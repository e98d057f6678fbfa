"""A query of the user's own over the table, whose rows are the unexpected ones; it takes a pass of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakeloom.quality.columns import wrong
from lakeloom.quality.conditions import BATCH
from lakeloom.quality.questions import Ask, Outcome, Question, Subject


def _no_unexpected_rows(subject: Subject) -> Question:
    from pyspark.errors import AnalysisException, ParseException

    subject.frame.createOrReplaceTempView(BATCH)
    try:
        rows = subject.frame.sparkSession.sql(str(subject.rule.query).format(batch=BATCH))
    except (AnalysisException, ParseException) as cause:
        text = f"the SQL does not analyse: {str(cause).splitlines()[0]}"
        raise wrong(subject.rule, text, subject.where) from cause

    def answer(found: Mapping[str, Any]) -> Outcome:
        del found
        count = rows.count()
        return Outcome(count == 0, observed=count)

    return Question(answer)


QUERIES: dict[str, Ask] = {"no_unexpected_rows": _no_unexpected_rows}
