"""Facts → OpenTelemetry's JSON over HTTP: metrics as gauges, and a trace with a span for the run and for each step.

Ids are made from the run's id and the step's name, so that the same run sent twice is the same trace.

Source: OpenTelemetry's protocol, "OTLP/HTTP", JSON encoding: ids as hexadecimal digits, 64-bit
integers as text, enumerations as numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lakeloom.telemetry.facts import RunFacts, StepFacts
from lakeloom.telemetry.samples import Sample

_INTERNAL, _OK, _ERROR = 1, 1, 2
_SCOPE = {"name": "lakeloom"}


def metrics(facts: RunFacts, samples: Iterable[Sample]) -> dict[str, Any]:
    """Return the body for ``/v1/metrics``."""
    at = _nanoseconds(facts.ended)
    found: dict[str, dict[str, Any]] = {}
    for sample in samples:
        metric = found.setdefault(
            sample.name,
            {"name": sample.name, "description": sample.help, "unit": sample.unit, "gauge": {"dataPoints": []}},
        )
        point = {"attributes": attributes(dict(sample.labels)), "timeUnixNano": at, "asDouble": float(sample.value)}
        metric["gauge"]["dataPoints"].append(point)
    return {
        "resourceMetrics": [
            {"resource": _resource(facts), "scopeMetrics": [{"scope": _SCOPE, "metrics": list(found.values())}]}
        ]
    }


def trace(facts: RunFacts) -> dict[str, Any]:
    """Return the body for ``/v1/traces``."""
    root = {
        "traceId": _hexadecimal(16, facts.run),
        "spanId": _hexadecimal(8, facts.run, ""),
        "name": f"run {facts.project}",
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(facts.started),
        "endTimeUnixNano": _nanoseconds(facts.ended),
        "attributes": attributes({"lakeloom.run_id": facts.run, "lakeloom.status": facts.status}),
        "status": {"code": _OK if facts.status == "done" else _ERROR},
    }
    spans = [root, *(_span(facts, step, root) for step in facts.steps if step.status in ("done", "failed"))]
    return {"resourceSpans": [{"resource": _resource(facts), "scopeSpans": [{"scope": _SCOPE, "spans": spans}]}]}


def attributes(values: Mapping[str, str | float]) -> list[dict[str, Any]]:
    """Return key-values in OTLP's form."""
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _span(facts: RunFacts, step: StepFacts, root: Mapping[str, Any]) -> dict[str, Any]:
    about = {"lakeloom.step": step.name, "lakeloom.kind": step.kind, "lakeloom.status": step.status}
    status: dict[str, Any] = {"code": _OK} if step.status == "done" else {"code": _ERROR, "message": step.code}
    numbers: dict[str, str | float] = {f"lakeloom.{name}": value for name, value in step.numbers.items()}
    return {
        "traceId": root["traceId"],
        "spanId": _hexadecimal(8, facts.run, step.name),
        "parentSpanId": root["spanId"],
        "name": step.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(step.started),
        "endTimeUnixNano": _nanoseconds(step.ended),
        "attributes": attributes(about | numbers),
        "status": status,
    }


def _resource(facts: RunFacts) -> dict[str, Any]:
    about = {"service.name": "lakeloom", "service.namespace": facts.project, "deployment.environment.name": facts.env}
    return {"attributes": attributes(about)}


def _value(value: str | float) -> dict[str, Any]:
    if isinstance(value, str):
        return {"stringValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"doubleValue": value}


def _hexadecimal(size_bytes: int, *parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=size_bytes).hexdigest()


def _nanoseconds(time: datetime) -> str:
    return str((time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000)
