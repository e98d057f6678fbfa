"""What a step's rules may know beyond its table: pinned tables, its sources, its clock and its past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakeloom.core.steps import Step
from lakeloom.flow.context import Context
from lakeloom.quality.background import Background, Profile
from lakeloom.quality.spec import RuleSpec
from lakeloom.store.intents import Intent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def background(
    context: Context, session: SparkSession, step: Step, intent: Intent, rows_out: int | None = None
) -> Background:
    """Return what the rules of `step` may know in the execution of `intent`.

    Parameters
    ----------
    rows_out : int, optional
        Rows that this execution wrote; left out of an execution that builds the whole table.
    """

    def table(name: str) -> DataFrame:
        return context.lake.frame(session, name, intent.reads[name])

    def totals(source: str, by: Sequence[str], sums: Sequence[str]) -> DataFrame:
        return _totals(context, session, source.partition(".")[2], by, sums)

    def past(rule: str) -> list[Profile]:
        return _past(context, step, intent, rule)

    return Background(table, totals, datetime.fromisoformat(intent.clock), past, None if intent.full else rows_out)


def judged(context: Context, step: Step) -> tuple[RuleSpec, ...]:
    """Return the rules of a step that apply: on a sample of the data a source's figures say nothing."""
    rules: tuple[RuleSpec, ...] = step.spec.judged()
    return rules if context.project.settings.sample is None else tuple(each for each in rules if not each.asks_source)


def _totals(context: Context, session: SparkSession, source: str, by: Sequence[str], sums: Sequence[str]) -> DataFrame:
    from lakeloom.sources.jdbc.totals import totals

    config: Any
    _, config = context.source(context.project.sources[source])
    landed = context.intents.published(f"bronze.{source}")
    batch = (landed.facts or {}).get("batch", landed.intent.batch) if landed else {}
    return totals(session, config, by, sums, batch.get("upper"), context.project.home)


def _past(context: Context, step: Step, intent: Intent, rule: str) -> list[Profile]:
    """Return the profiles that a rule recorded in published executions before this one, newest first."""
    found = []
    for record in reversed(context.intents.history(step.name)):
        if record.facts is None or record.intent.epoch >= intent.epoch:
            continue
        found += [
            each["profile"] for each in record.facts.get("rules", ()) if each["name"] == rule and "profile" in each
        ]
    return found
