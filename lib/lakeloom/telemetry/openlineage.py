"""What a run did → OpenLineage's events: a START and an end for the run and for each step that did something.

What a table's rules found is a run of a job of its own, ``<step>.rules``, whose input the table is: the
specification knows assertions of inputs only.

Ids are made from the run's id and the step's name, so that the same run sent twice is the same run there.
No SQL text is sent: its literals may be personal. Expressions have none.

Source: OpenLineage's specification 2-0-2 and the facets that it publishes beside it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lakeloom.lineage.flows import OUTSIDE, ColumnFlow, Flow, Flows

_SPEC = "https://openlineage.io/spec"
_PRODUCER = "https://pypi.org/project/lakeloom"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet", "schema": "1-2-0/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet", "dataQualityAssertions": "1-1-0/DataQualityAssertionsDatasetFacet",
    "dataQualityMetrics": "1-0-3/DataQualityMetricsInputDatasetFacet", "parent": "1-2-0/ParentRunFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet", "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "processing_engine": "1-1-1/ProcessingEngineRunFacet", "jobType": "2-0-4/JobTypeJobFacet",
    "nominalTime": "1-0-1/NominalTimeRunFacet",
}  # fmt: skip
_INDIRECT = {
    "filter": "FILTER", "join key": "JOIN", "grouping": "GROUP_BY", "window": "WINDOW", "sort": "SORT",
}  # fmt: skip
_DIRECT = {"same": "IDENTITY", "aggregated": "AGGREGATION"}


@dataclass(frozen=True)
class Output:
    """A table at the version that a step made.

    Attributes
    ----------
    columns : dict
        Column → Spark type; empty for what has none, such as a model.
    flows : Flows or None
        What flows into it.
    rows : int or None
        How many rows the step wrote; None beside the step's own table.
    size_bytes, files : int
        Of the whole table.
    rules : sequence of dict
        What its rules found, as in a step's facts.
    statistics : dict
        Column → nullCount, min and max (numbers): of the whole table, where they are known and may be told.
    """

    name: str
    version: int
    columns: Mapping[str, str] = field(default_factory=dict)
    flows: Flows | None = None
    rows: int | None = None
    size_bytes: int = 0
    files: int = 0
    rules: Sequence[Mapping[str, Any]] = ()
    statistics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Executed:
    """One step of a run that did something, or failed to; `error` says how, empty where it did not."""

    step: str
    kind: str
    started: datetime
    ended: datetime
    clock: datetime
    reads: Mapping[str, int | None]
    outputs: Sequence[Output] = ()
    error: str = ""
    streams: bool = False


@dataclass(frozen=True)
class Told:
    """A run, and who tells of it.

    Attributes
    ----------
    engine : str
        Spark's version.
    """

    project: str
    namespace: str
    run: str
    status: str
    started: datetime
    ended: datetime
    release: str
    engine: str
    steps: Sequence[Executed] = ()


def events(told: Told) -> list[dict[str, Any]]:
    """Return the events of a run in the order in which they happened."""
    whole = _run_id(told, "")
    engine = {"version": told.engine, "name": "spark", "openlineageAdapterVersion": told.release}
    facets = {"processing_engine": _facet("processing_engine", engine)}
    job = _job(told, told.project, "RUN", streams=False)
    end = {"done": "COMPLETE", "stopped": "ABORT"}.get(told.status, "FAIL")
    found = [
        _event("START", told.started, _run(whole, facets), job),
        _event(end, told.ended, _run(whole, facets), job),
    ]
    parent = {"run": {"runId": whole}, "job": {"namespace": told.namespace, "name": told.project}}
    for step in told.steps:
        found += _of_step(told, step, facets | {"parent": _facet("parent", parent)})
    # Of two at one time the one that contains the other begins first and ends last.
    return sorted(found, key=lambda event: (event["eventTime"], event["eventType"] != "START"))


def _of_step(told: Told, step: Executed, facets: dict[str, Any]) -> list[dict[str, Any]]:
    own = facets | {"nominalTime": _facet("nominalTime", {"nominalStartTime": _time(step.clock)})}
    run_id, job = _run_id(told, step.step), _job(told, step.step, step.kind.upper(), streams=step.streams)
    inputs = [_dataset(told, name, _version(version)) for name, version in step.reads.items()]
    start = _event("START", step.started, _run(run_id, own), job, inputs)
    if step.error:
        failed = own | {
            "errorMessage": _facet("errorMessage", {"message": step.error, "programmingLanguage": "PYTHON"})
        }
        return [start, _event("FAIL", step.ended, _run(run_id, failed), job, inputs)]
    outputs = [_output(told, output) for output in step.outputs]
    ended = _event("COMPLETE", step.ended, _run(run_id, own), job, inputs, outputs)
    judged = [event for output in step.outputs if output.rules for event in _of_rules(told, step, output, facets)]
    return [start, ended, *judged]


def _of_rules(told: Told, step: Executed, output: Output, facets: dict[str, Any]) -> list[dict[str, Any]]:
    name = f"{step.step}.rules"
    run, job = _run(_run_id(told, name), facets), _job(told, name, "TEST", streams=False)
    figures = {"bytes": output.size_bytes, "fileCount": output.files, "columnMetrics": output.statistics}
    found: dict[str, dict[str, Any]] = {
        "dataQualityAssertions": {"assertions": _assertions(output.rules)},
        "dataQualityMetrics": figures | ({} if output.rows is None else {"rowCount": output.rows}),
    }
    table = _dataset(told, output.name, _version(output.version))
    table["inputFacets"] = {name: _facet(name, content) for name, content in found.items()}
    return [_event("START", step.ended, run, job, [table]), _event("COMPLETE", step.ended, run, job, [table])]


def _output(told: Told, output: Output) -> dict[str, Any]:
    facets = _version(output.version)
    if output.columns:
        fields = [{"name": name, "type": kind} for name, kind in output.columns.items()]
        facets["schema"] = _facet("schema", {"fields": fields})
    if output.flows is not None:
        facets["columnLineage"] = _facet("columnLineage", _column_lineage(told, output.flows))
    made = _dataset(told, output.name, facets)
    if output.rows is not None:
        figures = {"rowCount": output.rows, "size": output.size_bytes, "fileCount": output.files}
        made["outputFacets"] = {"outputStatistics": _facet("outputStatistics", figures)}
    return made


def _column_lineage(told: Told, flows: Flows) -> dict[str, Any]:
    fields = {name: {"inputFields": _inputs(told, column.flows, column)} for name, column in flows.columns.items()}
    return {"fields": fields, "dataset": _inputs(told, flows.rows)}


def _inputs(told: Told, flows: Iterable[Flow], column: ColumnFlow | None = None) -> list[dict[str, Any]]:
    """Return input fields, each with all the ways in which it flows."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for flow in flows:
        if flow.column and flow.table != OUTSIDE and (flow.how == "value" or flow.how in _INDIRECT):
            found.setdefault((flow.table, flow.column), []).append(_transformation(flow, column))
    return [
        {"namespace": told.namespace, "name": table, "field": name, "transformations": ways}
        for (table, name), ways in found.items()
    ]


def _transformation(flow: Flow, column: ColumnFlow | None) -> dict[str, Any]:
    text = flow.expression or (column.expression if column else "")
    if flow.how == "value":
        way = _DIRECT.get(column.way if column else "", "TRANSFORMATION")
        return {"type": "DIRECT", "subtype": way, "description": text, "masking": False}
    return {"type": "INDIRECT", "subtype": _INDIRECT[flow.how], "description": text, "masking": False}


def _assertions(rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for rule in rules:
        told = {"assertion": str(rule["name"]), "success": bool(rule["passed"])}
        told |= {"severity": "warn" if rule.get("level") == "warn" else "error"}
        found.append(told | ({"column": str(rule["column"])} if rule.get("column") else {}))
    return found


def _dataset(told: Told, name: str, facets: dict[str, Any]) -> dict[str, Any]:
    return {"namespace": told.namespace, "name": name, "facets": facets}


def _version(version: int | None) -> dict[str, Any]:
    return {} if version is None else {"version": _facet("version", {"datasetVersion": str(version)})}


def _job(told: Told, name: str, kind: str, *, streams: bool) -> dict[str, Any]:
    about = {"processingType": "STREAMING" if streams else "BATCH", "integration": "LAKELOOM", "jobType": kind}
    return {"namespace": told.namespace, "name": name, "facets": {"jobType": _facet("jobType", about)}}


def _run(run_id: str, facets: dict[str, Any]) -> dict[str, Any]:
    return {"runId": run_id, "facets": facets}


def _run_id(told: Told, step: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_PRODUCER}/{told.namespace}/{told.run}/{step}"))


def _event(
    kind: str, at: datetime, run: dict[str, Any], job: dict[str, Any], inputs: Sequence[Any] = (),
    outputs: Sequence[Any] = (),
) -> dict[str, Any]:  # fmt: skip
    return {
        "eventType": kind, "eventTime": _time(at), "run": run, "job": job, "inputs": list(inputs),
        "outputs": list(outputs), "producer": _PRODUCER, "schemaURL": _EVENT,
    }  # fmt: skip


def _facet(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    path, _, kind = _FACETS[name].partition("/")
    return {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}/facets/{path}/{kind}.json#/$defs/{kind}"} | dict(content)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
