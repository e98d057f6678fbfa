"""OpenLineage's events, judged by OpenLineage's own client."""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest

from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
from lakeloom.telemetry.openlineage import Executed, Output, Told, events
from tests.openlineage import problems

AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
FLOWS = Flows(
    {
        "town": ColumnFlow("city", "same", (Flow("bronze.orders", "city", "value"),)),
        "gross": ColumnFlow("sum(amount)", "aggregated", (
            Flow("bronze.orders", "amount", "value"), Flow("bronze.orders", "at", "window", "at"),
            Flow("outside", "rate", "value"),
        )),
    },
    (Flow("bronze.orders", "", "rows"), Flow("bronze.orders", "amount", "filter", "amount > ?"),
     Flow("bronze.orders", "city", "grouping", "city"), Flow("bronze.orders", "city", "join key", "city = name")),
)  # fmt: skip
RULES = [
    {"name": "gross:not_null", "column": "gross", "level": "quarantine", "passed": True},
    {"name": "volume", "column": None, "level": "warn", "passed": False},
]


@pytest.fixture(scope="module")
def found():
    orders = Output(
        "silver.orders",
        7,
        {"town": "string", "gross": "double"},
        FLOWS,
        5,
        1000,
        2,
        RULES,
        {"gross": {"nullCount": 1, "min": -2.5, "max": 7.0}},
    )
    steps = [
        Executed(
            "bronze.orders", "land", AT, AT + timedelta(seconds=1), AT, {"sources.orders": None},
            [Output("bronze.orders", 3, {"city": "string"}, None, 9, 10, 1)],
        ),
        Executed(
            "silver.orders", "transform", AT + timedelta(seconds=1), AT + timedelta(seconds=2), AT,
            {"bronze.orders": 3}, [orders, Output("quarantine.silver__orders", 1)], streams=True,
        ),
        Executed("models.late", "train", AT + timedelta(seconds=2), AT + timedelta(seconds=3), AT, {"datasets.late": 1},
                 [Output("models.late", 4)]),
        Executed("gold.towns", "transform", AT + timedelta(seconds=2), AT + timedelta(seconds=3), AT,
                 {"silver.orders": 7}, error="LL-RUN-004 the function raised ValueError"),
    ]  # fmt: skip
    return events(Told("shop", "acme", "r1", "failed", AT, AT + timedelta(seconds=4), "0.1.0", "4.0.5", steps))


def one(found, job, kind):
    (event,) = [each for each in found if (each["job"]["name"], each["eventType"]) == (job, kind)]
    return event


def changed(event, change):
    event = copy.deepcopy(event)
    change(event)
    return event


def test_every_event_is_sound_and_the_judge_finds_what_is_not(found):
    output = one(found, "silver.orders", "COMPLETE")
    facets = output["outputs"][0]["facets"]
    broken = [
        changed(output, lambda event: event.pop("eventTime")),
        changed(output, lambda event: event["run"].update(runId="r1")),
        changed(output, lambda event: event.update(eventTime="yesterday")),
        changed(output, lambda event: event.update(eventType="DONE")),
        changed(output, lambda event: event["outputs"][0].pop("name")),
        changed(output, lambda event: event["outputs"][0].update(rows=5)),
        changed(output, lambda event: event["outputs"][0]["facets"]["version"].update(datasetVersion=7)),
        changed(output, lambda event: event["outputs"][0]["facets"]["columnLineage"]["fields"]["town"].pop("inputFields")),
        changed(output, lambda event: event["outputs"][0]["facets"].update(dataQualityAssertions=facets["version"] | {
            "_schemaURL": "https://openlineage.io/spec/facets/1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet"})),
    ]  # fmt: skip
    told = problems([*found, *broken])
    assert told[: len(found)] == [""] * len(found)
    assert all(told[len(found) :]), told[len(found) :]


def test_columns_say_how_they_flow(found):
    lineage = one(found, "silver.orders", "COMPLETE")["outputs"][0]["facets"]["columnLineage"]
    (town,) = lineage["fields"]["town"]["inputFields"]
    assert (town["namespace"], town["name"], town["field"]) == ("acme", "bronze.orders", "city")
    assert town["transformations"] == [
        {"type": "DIRECT", "subtype": "IDENTITY", "description": "city", "masking": False}
    ]
    gross = {each["field"]: each["transformations"][0] for each in lineage["fields"]["gross"]["inputFields"]}
    assert (gross["amount"]["subtype"], gross["amount"]["description"]) == ("AGGREGATION", "sum(amount)")
    assert (gross["at"]["type"], gross["at"]["subtype"]) == ("INDIRECT", "WINDOW")
    assert "rate" not in gross  # what is read besides the inputs has no name to be told by
    rows = {each["field"]: {way["subtype"] for way in each["transformations"]} for each in lineage["dataset"]}
    assert rows == {"amount": {"FILTER"}, "city": {"GROUP_BY", "JOIN"}}


def test_versions_schemas_and_figures_stand_at_the_tables(found):
    event = one(found, "silver.orders", "COMPLETE")
    assert event["inputs"][0]["facets"]["version"]["datasetVersion"] == "3"
    orders, quarantine = event["outputs"]
    assert orders["facets"]["version"]["datasetVersion"] == "7"
    assert orders["facets"]["schema"]["fields"] == [
        {"name": "town", "type": "string"},
        {"name": "gross", "type": "double"},
    ]
    assert orders["outputFacets"]["outputStatistics"]["rowCount"] == 5
    assert "outputFacets" not in quarantine
    assert event["job"]["facets"]["jobType"]["processingType"] == "STREAMING"


def test_rules_are_assertions_about_the_table_as_an_input(found):
    (table,) = one(found, "silver.orders.rules", "COMPLETE")["inputs"]
    assert [
        {key: each[key] for key in ("assertion", "success", "severity")} | {"column": each.get("column")}
        for each in table["inputFacets"]["dataQualityAssertions"]["assertions"]
    ] == [
        {"assertion": "gross:not_null", "success": True, "severity": "error", "column": "gross"},
        {"assertion": "volume", "success": False, "severity": "warn", "column": None},
    ]
    metrics = table["inputFacets"]["dataQualityMetrics"]
    assert metrics["rowCount"] == 5
    assert metrics["columnMetrics"] == {"gross": {"nullCount": 1, "min": -2.5, "max": 7.0}}


def test_each_run_begins_and_ends_once_and_has_its_parent(found):
    runs = {}
    for event in found:
        runs.setdefault(event["run"]["runId"], []).append(event)
    assert len(runs) == 6  # the run, four steps, the rules of one of them
    for each in runs.values():
        assert next(event["eventType"] for event in each) == "START"
        assert len(each) == 2
    whole = one(found, "shop", "START")["run"]["runId"]
    assert {
        event["run"]["facets"]["parent"]["run"]["runId"] for event in found if event["job"]["name"] != "shop"
    } == {whole}  # fmt: skip
    assert [event["eventTime"] for event in found] == sorted(event["eventTime"] for event in found)


def test_a_failure_says_its_code_and_makes_nothing(found):
    event = one(found, "gold.towns", "FAIL")
    assert event["run"]["facets"]["errorMessage"]["message"].startswith("LL-RUN-004")
    assert event["outputs"] == []
    assert one(found, "shop", "FAIL")


def test_the_same_run_told_twice_is_the_same_run(found):
    again = events(Told("shop", "acme", "r1", "done", AT, AT, "0.1.0", "4.0.5"))
    assert again[0]["run"]["runId"] == one(found, "shop", "START")["run"]["runId"]
    other = events(Told("shop", "acme", "r2", "done", AT, AT, "0.1.0", "4.0.5"))
    assert other[0]["run"]["runId"] != again[0]["run"]["runId"]
    assert "select" not in json.dumps(found).lower()
