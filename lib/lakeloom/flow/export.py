"""Exporting: a table's last good version → a sink, once an execution, whatever happened to the one before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lakeloom.config.placeholders import resolve
from lakeloom.core.errors import ConfigError, LakeloomError, SinkError, TableError
from lakeloom.core.kinds import nearest, pick
from lakeloom.core.names import quoted
from lakeloom.core.steps import Facts, Step
from lakeloom.flow.context import Context
from lakeloom.flow.lineage import noted
from lakeloom.flow.making import NOT_PASSED
from lakeloom.flow.renewal import renewed
from lakeloom.flow.transform import read_input
from lakeloom.project.graph import reading
from lakeloom.project.personal import guarded
from lakeloom.session.spark import step_session
from lakeloom.sinks import SINKS
from lakeloom.sinks.base import Around, Sent, Shipment, Sink
from lakeloom.sinks.spec import ExportSpec
from lakeloom.store.intents import Intent
from lakeloom.tables.feed import FEED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# What bronze knows of a row beside its content.
MARKS = ("_position", "_file", *NOT_PASSED)


def export(context: Context, step: Step, intent: Intent) -> Facts:
    """Carry out an export at the intent's version; return its facts.

    A sink that refuses who asks is tried once more with other secrets: what it was given already is found there.
    """
    return renewed(lambda: opened(context, step.spec), lambda sink: _sent(context, step, intent, sink), same=_same)


def _same(one: Sink, other: Sink) -> bool:
    return (one.config, getattr(one, "opening", None)) == (other.config, getattr(other, "opening", None))


def _sent(context: Context, step: Step, intent: Intent, sink: Sink) -> Facts:
    shipment = shipment_of(context, step, intent)
    more: Facts = {}
    sent = sink.settled(shipment, context.engine.spark)
    if sent is None:
        with step_session(context.engine.spark()) as session:
            (read,) = step.reads
            rows = handed_out(context, step, read_input(context, session, read, intent))
            for names in type(sink).columns(sink.config).values():
                require_columns(step.spec, names, rows.columns)
            more = {"lineage": noted(context, step, intent, rows), "columns": dict(rows.dtypes)}
            sent = sink.send(session, rows, shipment)
    return _facts(step, intent, sent, sink.tidy(shipment, context.engine.spark)) | more


def stands(context: Context, step: Step, intent: Intent) -> bool:
    """Return whether what an execution was to hand out stands there, also where the sink can't be asked.

    An execution that only adds must not be followed by another one before that is known.
    """
    try:
        return opened(context, step.spec).settled(shipment_of(context, step, intent), context.engine.spark) is not None
    except LakeloomError as error:
        return error.transient


def opened(context: Context, spec: ExportSpec) -> Sink:
    """Return an export's sink with variables and secrets resolved; raises LL-CONF-004, LL-CONF-008."""
    where = f"exports.{spec.name}"
    kind = pick(spec.kind, SINKS, where)
    try:
        config = kind.Config.model_validate(resolve(spec.options, where))
    except ValidationError as cause:  # what a variable holds is known now only
        first = cause.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError("LL-CONF-004", f"{place}: {first['msg']}", where=where, fix="mend the variable") from None
    sink: Sink = kind(config, Around(context.project.home, context.project.settings.stores))
    return sink


def shipment_of(context: Context, step: Step, intent: Intent) -> Shipment:
    """Return what a sink is told of an execution."""
    spec: ExportSpec = step.spec
    (read,) = step.reads
    last = context.intents.published(step.name)
    return Shipment(
        spec.name, intent.epoch, intent.run, read.table, intent.reads[read.table], spec.mode, intent.clock, intent.full,
        intent.since.get(read.table), (last.intent.epoch, last.intent.run) if last else None,
    )  # fmt: skip


def handed_out(context: Context, step: Step, rows: DataFrame) -> DataFrame:
    """Return the rows that go out, in the columns that do.

    Of ``changes`` what a row was before is left out, and one that the export's condition does not take any more is
    told as deleted.

    Raises
    ------
    TableError
        LL-TABLE-003 for a column that is not there.
    SinkError
        LL-SINK-001 for a personal one that the export does not name.
    """
    from pyspark.sql import functions as F

    spec: ExportSpec = step.spec
    if reading(spec) == "changes":
        rows = rows.where("_change_type <> 'update_preimage'")
    if spec.mode == "changes" and spec.where:
        kept = F.coalesce(F.expr(spec.where), F.lit(False))
        rows = rows.withColumn("_change_type", F.when(kept, F.col("_change_type")).otherwise("delete"))
    elif spec.where:
        rows = rows.where(spec.where)
    if reading(spec) == "changes" and spec.mode == "new":
        rows = rows.where("_change_type <> 'delete'")
    told = FEED if spec.mode == "changes" else ()
    there = [name for name in rows.columns if name not in FEED]
    names = list(spec.columns) or [name for name in there if name not in MARKS]
    require_columns(spec, names, there)
    hidden = sorted(name for name in guarded(context.project).intersection(names) if not spec.allows(name))
    if hidden:
        raise not_allowed(spec, hidden)
    return rows.select(*[F.col(quoted(name)) for name in (*names, *told)])


def require_columns(spec: ExportSpec, names: Iterable[str], there: list[str]) -> None:
    """Refuse a column that is not there; raises LL-TABLE-003."""
    for name in names:
        if name not in there:
            near = nearest(name, there)
            raise TableError(
                "LL-TABLE-003", f"column '{name}' is not in {spec.source} ({', '.join(there)})",
                where=f"exports.{spec.name}", fix=f"use '{near}'" if near else "take it out of columns:",
            )  # fmt: skip


def not_allowed(spec: ExportSpec, hidden: list[str]) -> SinkError:
    """Return the error for personal columns that an export does not name."""
    return SinkError(
        "LL-SINK-001", f"{', '.join(hidden)} of {spec.source} {'is' if len(hidden) == 1 else 'are'} personal",
        where=f"exports.{spec.name}", fix=f"leave it out by columns:, or say personal: [{', '.join(hidden)}]",
    )  # fmt: skip


def _facts(step: Step, intent: Intent, sent: Sent, removed: int) -> Facts:
    told: dict[str, Any] = {"table": step.reads[0].table, "version": intent.reads[step.reads[0].table]}
    told |= {"objects": sent.objects, "removed": removed, "deleted": sent.deleted}
    return {
        "versions": {step.name: intent.epoch}, "version": intent.epoch, "rows_in": sent.rows, "rows_out": sent.rows,
        "bytes": sent.bytes, "export": told,
    }  # fmt: skip
