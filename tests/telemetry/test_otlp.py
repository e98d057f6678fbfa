"""The JSON is read by OpenTelemetry's own message types, which refuse unknown fields and wrong types."""

import json

import pytest

from lakeloom.telemetry import otlp
from lakeloom.telemetry.facts import facts
from lakeloom.telemetry.samples import samples
from tests.telemetry.log import LOG

json_format = pytest.importorskip("google.protobuf.json_format")
service = pytest.importorskip("opentelemetry.proto.collector")


def about():
    return facts(LOG, run="r1", project="shop", env="local")


def read(kind, document):
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = {"metrics": ExportMetricsServiceRequest, "traces": ExportTraceServiceRequest}[kind]()
    return json_format.Parse(json.dumps(document), message)


def test_metrics_are_gauges_with_the_same_samples_as_prometheus():
    found = samples(about())
    request = read("metrics", otlp.metrics(about(), found))
    (resource,) = request.resource_metrics
    assert {each.key: each.value.string_value for each in resource.resource.attributes} == {
        "service.name": "lakeloom", "service.namespace": "shop", "deployment.environment.name": "local",
    }  # fmt: skip
    metrics = resource.scope_metrics[0].metrics
    assert {metric.name for metric in metrics} == {sample.name for sample in found}
    points = [point for metric in metrics for point in metric.gauge.data_points]
    assert sorted(point.as_double for point in points) == sorted(sample.value for sample in found)
    assert all(point.time_unix_nano == 1_767_603_606_000_000_000 for point in points)


def test_a_trace_has_a_span_for_the_run_and_for_each_step_that_ran():
    document = otlp.trace(about())
    spans = read("traces", document).resource_spans[0].scope_spans[0].spans
    assert [span.name for span in spans] == ["run shop", "silver.a", "gold.a"]
    assert [span.status.code for span in spans] == [2, 1, 2]
    assert spans[2].status.message == "LL-TABLE-005"
    assert (spans[1].end_time_unix_nano - spans[1].start_time_unix_nano) == 2_500_000_000
    numbers = {each.key: each.value for each in spans[1].attributes}
    assert numbers["lakeloom.tasks"].int_value == 8 and numbers["lakeloom.task_seconds"].double_value == 2.5
    plain = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in plain)
    assert {span["parentSpanId"] for span in plain[1:]} == {plain[0]["spanId"]}
    assert len({span["spanId"] for span in plain}) == 3
    assert document == otlp.trace(about())
    assert "Ada" not in json.dumps(document)
