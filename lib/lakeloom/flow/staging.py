"""Judging rows in the pass that writes them, where they go into a table as they are: appended, or in place of all.

What is read twice costs most of what rules cost. Here the good rows lie in files of the table when the counts are
known, and the order of the commits stays: the quarantine's, then the table's.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakeloom.core.names import TableName
from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.flow.rejudge import unmarked
from lakeloom.flow.shape import shaped
from lakeloom.flow.write import Part
from lakeloom.project.about import about
from lakeloom.quality.judged import JudgedFrame
from lakeloom.quality.rows import Judging
from lakeloom.store.intents import Intent
from lakeloom.store.stage import Stage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Staged:
    """Rows that were judged and lie in files that no version has.

    Attributes
    ----------
    judged : JudgedFrame
        What was counted.
    part : Part
        The table's part of the write.
    """

    judged: JudgedFrame
    part: Part

    def parts(self) -> AbstractContextManager[list[Part]]:
        """Give the parts of the write, as `lakeloom.flow.shape.shaped` does."""
        return nullcontext([self.part])

    def forget(self) -> None:
        """Delete the files, unless they were to be committed."""
        if self.part.stage is not None:
            self.part.stage.forget()


def staged(context: Context, session: SparkSession, step: Step, intent: Intent, asked: Judging) -> Staged | None:
    """Judge rows while they are written into files; None, with nothing judged, where they must be counted first.

    That is where they are not written as they are (by key, replaced groups, entries of quarantine that are judged
    again), where a table is to be made or changed, and where reading the broken half once more would cost more.

    Raises
    ------
    RuleError
        As `lakeloom.quality.rows.judge`.
    """
    spec = step.spec
    plain = spec.write.mode in ("append", "overwrite") and not (intent.again or intent.replay)
    if not plain or not asked.once:
        return None
    with shaped(context, session, step.writes[0], spec, intent, unmarked(asked.passing)) as parts:
        (part,) = parts
    stage = Stage.begin(
        session, context.lake, TableName.parse(part.table), part.frame, part.how, intent.step, intent.epoch,
        properties=about(context.project, part.table), layout=part.layout,
    )  # fmt: skip
    if stage is None:
        return None
    judged = None
    try:
        judged = asked.while_written(lambda rows: stage.write(unmarked(rows)))
    finally:
        if judged is None:
            stage.forget()
    return Staged(judged, replace(part, stage=stage)) if judged is not None else None
