"""What steps note of the columns that they write: by SQL, function, history, stream, feature, dataset, model, score."""

import json
from dataclasses import replace

import pytest

from lakeloom.api.runs import events as logged
from lakeloom.flow import lineage as noting
from lakeloom.flow.context import Context
from lakeloom.flow.emit import emit
from lakeloom.flow.journal import Journal
from lakeloom.flow.result import RunResult
from lakeloom.lineage.assembled import newest
from lakeloom.lineage.made import Executions, Kept
from lakeloom.project.graph import steps
from lakeloom.telemetry.spec import OpenLineageSpec
from tests.flow.stream import Stream
from tests.notify.servers import Receiver
from tests.openlineage import problems
from tests.servers.serving import serving

COLUMNS = {"id": "bigint", "city": "string", "at": "timestamp", "amount": "double", "spare": "string"}
TABLES = """\
tables:
  silver.orders:
    from: {bronze.changes: new}
    sql: >-
      select id, upper(city) as town, at, amount * 1.2 as gross, _position from bronze.changes where amount > 4711
    keys: [id]
    write: {mode: merge, sequence_by: at}
    rules: [{column: gross, expect: values_not_null, otherwise: quarantine}]
    columns: {id: bigint, town: string, at: timestamp, gross: double}
  silver.places:
    from: {bronze.changes: new}
    sql: select id, city, at from bronze.changes
    keys: [id]
    write: {mode: scd2, sequence_by: at}
  silver.doubled:
    from: {bronze.changes: new}
    function: tests.flow.lineage_functions:doubled
    write: {mode: append}
  silver.minutes:
    from: {bronze.changes: new}
    sql: >-
      select window.start as minute, city, sum(amount) as total from bronze.changes
      group by city, window(at, '1 minute')
    keys: [minute, city]
    stream: {watermarks: {bronze.changes: {column: at, delay: 1 minute}}, output: update}
    write: {mode: merge}
  gold.towns:
    from: {silver.orders: whole, silver.places: whole}
    sql: >-
      select o.town, count(*) as orders, sum(o.gross) as gross from silver.orders o
      join silver.places p on p.id = o.id and p.is_current group by o.town
"""


def values(root, column, *tables):
    """Return the columns of `tables` that a column's values come from."""
    graph = newest(Executions(root), Kept(root))
    found = graph.up(column, ["value"])
    return {node.id for node in found.nodes if node.id.rpartition(".")[0] in tables}


def flows_of(root, table):
    return Kept(root).of(Executions(root).newest[table].key)


def rows_of(root, table):
    return {(flow.table, flow.column, flow.how) for flow in flows_of(root, table).rows}


@pytest.fixture(scope="module")
def receiver():
    with serving(Receiver()) as server:
        yield server


@pytest.fixture(scope="module")
def ran(tmp_path_factory, spark, receiver):
    stream = Stream(tmp_path_factory.mktemp("lineage"), COLUMNS, TABLES)
    with (stream.home / "conf" / "base.yml").open("a") as base:
        base.write(f"openlineage: {{file: out/events.jsonl, url: {receiver.url}/api/v1/lineage, namespace: acme}}\n")
    stream.drop(
        {"id": 1, "city": "Rome", "at": "2026-01-01T10:00:00Z", "amount": 5000.0, "spare": "x"},
        {"id": 2, "city": "Oslo", "at": "2026-01-01T10:05:00Z", "amount": 4712.0, "spare": "y"},
    )
    stream.done()
    return stream


def test_sql_that_is_merged(ran):
    root = ran.project().root
    assert values(root, "silver.orders.gross", "bronze.changes", "sources.changes") == {
        "bronze.changes.amount", "sources.changes.amount",
    }  # fmt: skip
    assert rows_of(root, "silver.orders") == {
        ("bronze.changes", "", "rows"), ("bronze.changes", "amount", "filter"),
        ("bronze.changes", "id", "grouping"), ("bronze.changes", "at", "window"),
    }  # fmt: skip
    flows = flows_of(root, "silver.orders")
    assert list(flows.columns) == ["id", "town", "at", "gross", "_position"]
    assert flows.columns["town"].expression == "upper(city)"
    assert flows.columns["id"].way == "same"
    assert "4711" not in json.dumps(flows.as_dict())
    assert flows.basis == "plan"


DELETING = """\
tables:
  silver.orders:
    from: {bronze.changes: new}
    sql: select id, city, at, amount, spare as _op, _position from bronze.changes
    keys: [id]
    write: {mode: merge, sequence_by: at, delete_when: _op = 'gone', update_when: new.amount > old.amount}
    columns: {id: bigint, city: string, at: timestamp, amount: double}
"""


def test_what_decides_whether_a_row_is_deleted_or_updated_is_told(tmp_path, spark):
    stream = Stream(tmp_path, COLUMNS, DELETING)
    stream.drop({"id": 1, "city": "Rome", "at": "2026-01-01T10:00:00Z", "amount": 5.0, "spare": "x"})
    stream.done()
    root = stream.project().root
    found = rows_of(root, "silver.orders")
    assert {(column, how) for _, column, how in found if how == "filter"} == {("spare", "filter"), ("amount", "filter")}
    # It goes into every column of the table, and into none as a value.
    up = newest(Executions(root), Kept(root)).up("silver.orders.city")
    assert {"bronze.changes.spare", "bronze.changes.amount"} <= {node.id for node in up.nodes}
    assert values(root, "silver.orders.city", "bronze.changes") == {"bronze.changes.city"}
    assert "gone" not in json.dumps(flows_of(root, "silver.orders").as_dict())


def test_a_history_has_its_span_by_name(ran):
    root = ran.project().root
    flows = flows_of(root, "silver.places")
    assert list(flows.columns) == ["id", "city", "at", "valid_from", "valid_to", "is_current"]
    assert flows.columns["valid_from"].expression == "at"
    for column in ("valid_from", "valid_to", "is_current"):
        assert values(root, f"silver.places.{column}", "bronze.changes") == {"bronze.changes.at"}
    assert values(root, "silver.places.city", "bronze.changes") == {"bronze.changes.city"}


def test_a_function_in_python_takes_what_it_is_given(ran):
    root = ran.project().root
    assert values(root, "silver.doubled.amount", "bronze.changes") == {"bronze.changes.id", "bronze.changes.amount"}
    assert flows_of(root, "silver.doubled").columns["amount"].expression == "work(…)"


def test_a_stream_is_looked_through_to_its_inputs(ran):
    root = ran.project().root
    assert values(root, "silver.minutes.total", "bronze.changes") == {"bronze.changes.amount"}
    assert values(root, "silver.minutes.minute", "bronze.changes") == {"bronze.changes.at"}
    assert ("bronze.changes", "city", "grouping") in rows_of(root, "silver.minutes")
    assert flows_of(root, "silver.minutes").columns["total"].way == "aggregated"


def test_joins_and_groups_of_several_tables(ran):
    root = ran.project().root
    assert values(root, "gold.towns.gross", "silver.orders", "silver.places", "bronze.changes") == {
        "silver.orders.gross", "bronze.changes.amount",
    }  # fmt: skip
    assert {("silver.orders", "id", "join key"), ("silver.places", "id", "join key"), ("silver.places", "is_current", "join key"),
            ("silver.orders", "town", "grouping")} <= rows_of(root, "gold.towns")  # fmt: skip


def test_the_commit_and_the_record_tell_the_same(ran):
    lake = ran.lake
    key = Executions(lake.root).newest["gold.towns"].key
    assert lake.history("gold.towns")[0]["manifest"]["lineage"] == key
    assert (lake.root / "lineage" / f"{key}.json").is_file()
    quarantine = Executions(lake.root).newest.get("quarantine.silver__orders")
    assert quarantine is None  # nothing was written there


def test_the_run_is_told_as_sound_events_to_a_file_and_a_receiver(ran, receiver):
    lines = (ran.home / "out" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [json.loads(body) for _, _, body in receiver.seen]
    assert {path for path, _, _ in receiver.seen} == {"/api/v1/lineage"}
    events = [json.loads(line) for line in lines]
    assert problems(events) == [""] * len(events)
    ended = {event["job"]["name"]: event for event in events if event["eventType"] == "COMPLETE"}
    assert {name for name in ended if name == "silver.orders.rules" or not name.endswith(".rules")} == {
        "stream", "bronze.changes", "silver.orders", "silver.orders.rules", "silver.places", "silver.doubled",
        "silver.minutes", "gold.towns",
    }  # fmt: skip
    (orders, *_) = [each for each in ended["silver.orders"]["outputs"] if each["name"] == "silver.orders"]
    assert orders["facets"]["version"]["datasetVersion"] == "0"
    (gross,) = orders["facets"]["columnLineage"]["fields"]["gross"]["inputFields"]
    assert (gross["namespace"], gross["name"], gross["field"]) == ("acme", "bronze.changes", "amount")
    assert {each["name"] for each in ended["bronze.changes"]["inputs"]} == {"sources.changes"}
    (judged,) = ended["silver.orders.rules"]["inputs"]
    columns = judged["inputFacets"]["dataQualityMetrics"]["columnMetrics"]
    assert columns["town"] == {"nullCount": 0}
    assert columns["gross"] == {"nullCount": 0, "min": 4712.0 * 1.2, "max": 6000.0}
    assert set(columns) == {"id", "town", "at", "gross"}
    assert "4711" not in "".join(lines)


def test_a_receiver_that_is_down_is_asked_once_more_and_fails_no_run(ran):
    project = ran.project()
    spec = project.settings.openlineage.model_copy(update={"url": "http://127.0.0.1:9", "file": None, "attempts": 2})
    context = Context.of(replace(project, settings=project.settings.model_copy(update={"openlineage": spec})), "r9")
    result = RunResult("r9", "done", "2026-01-01T00:00:00+00:00", 1.0, ())
    journal = Journal(context.lake, "r9", context.folder)
    (failed,) = emit(context, [], result, journal, pause=lambda _: None)
    assert (failed.channel, failed.delivered, failed.attempts) == ("openlineage http", False, 2)
    assert failed.error["code"] == "LL-RUN-006"
    assert [event["event"] for event in journal.events] == ["not published"]


def test_another_run_of_the_same_code_keeps_nothing_new(ran):
    root = ran.project().root
    before = sorted(file.name for file in (root / "lineage").iterdir())
    ran.drop({"id": 1, "city": "Bonn", "at": "2026-01-01T11:00:00Z", "amount": 6000.0, "spare": "x"})
    ran.done("bronze.changes", "silver.orders")
    assert sorted(file.name for file in (root / "lineage").iterdir()) == before
    made = Executions(root).newest["silver.orders"]
    assert (made.epoch, made.reads) == (2, {"bronze.changes": 1})


def test_where_the_plan_is_too_large_sql_is_read_and_a_function_tells_its_inputs(ran, monkeypatch):
    monkeypatch.setattr(noting, "LARGEST", 0)
    root = ran.project().root
    ran.done("silver.doubled", "gold.towns", full_refresh=True)
    towns, doubled = flows_of(root, "gold.towns"), flows_of(root, "silver.doubled")
    assert towns.basis == "sql"
    assert towns.problem.startswith("the plan is too large to be told")
    assert {(flow.table, flow.column) for flow in towns.columns["gross"].flows} == {("silver.orders", "gross")}
    assert (doubled.basis, set(doubled.columns)) == ("step", {"id", "amount"})
    notes = dict(newest(Executions(root), Kept(root)).whole().notes)
    assert notes["gold.towns"].startswith("values only, by its SQL: the plan is too large to be told: ")
    assert notes["silver.doubled"].startswith("its step tells nothing: the plan is too large to be told: ")
    assert "silver.orders" not in notes
    assert values(root, "silver.doubled.amount", "bronze.changes") >= {"bronze.changes.id", "bronze.changes.spare"}


def test_a_failure_of_lineage_never_fails_a_step(ran, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("row 4711 of Jane")

    monkeypatch.setattr(noting, "read", broken)
    monkeypatch.setattr(noting, "of_sql", broken)
    ran.done("gold.towns", full_refresh=True)
    flows = flows_of(ran.project().root, "gold.towns")
    assert flows.basis == "step"
    assert (
        flows.problem == "its plan could not be read (RuntimeError); its SQL: its plan could not be read (RuntimeError)"
    )
    assert {flow.table for flow in flows.rows} == {"silver.orders", "silver.places"}


def test_a_client_without_plans_says_so():
    with pytest.raises(Exception, match="Spark Connect sees no plan"):
        noting._plan(object())


def test_from_a_source_to_features_model_and_scores(trained):
    project, _ = trained
    root = project.root
    graph = newest(Executions(root), Kept(root))
    found = graph.down("sources.trips.late", ["value"])
    assert {
        "bronze.trips.late", "silver.trips.late", "features.lines.late", "datasets.late_trips.lines__late_mean_3d",
        "datasets.late_trips.label", "tuning.trip_late", "models.trip_late", "gold.trip_scores.score",
    } <= {node.id for node in found.nodes}  # fmt: skip
    assert {node.kind for node in found.nodes} == {"column", "study", "model"}
    dataset = flows_of(root, "datasets.late_trips")
    mean = dataset.columns["lines__late_mean_3d"]
    assert (mean.expression, mean.way) == ("mean(late)", "aggregated")
    assert {(flow.column, flow.how) for flow in mean.flows if flow.table == "features.lines"} >= {
        ("late", "value"), ("line", "join key"), ("_available_at", "filter"),
    }  # fmt: skip
    assert {flow.column for flow in dataset.columns["load"].flows if flow.how == "value"} == {"load", "leaves_at"}
    scores = flows_of(root, "gold.trip_scores")
    assert scores.columns["id"].way == "same"
    assert {f"{flow.table}.{flow.column}" for flow in scores.columns["score"].flows} == {
        "models.trip_late.", "datasets.late_trips.line", "datasets.late_trips.load",
        "datasets.late_trips.lines__late_mean_3d", "datasets.late_trips.lines__late_count_3d",
    }  # fmt: skip
    up = graph.up("gold.trip_scores.score", ["value"])
    assert {"sources.trips.load", "models.trip_late"} <= {node.id for node in up.nodes}


def test_datasets_models_and_scores_are_told_as_sound_events(trained, tmp_path):
    project, result = trained
    spec = OpenLineageSpec(file=str(tmp_path / "events.jsonl"))
    settings = project.settings.model_copy(update={"openlineage": spec})
    context = Context.of(replace(project, settings=settings), result.run_id)
    journal = Journal(context.lake, result.run_id, tmp_path)
    journal.events += logged(project.root, result.run_id)
    assert emit(context, steps(project), result, journal) == []
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert problems(events) == [""] * len(events)
    ended = {event["job"]["name"]: event for event in events if event["eventType"] == "COMPLETE"}
    made = {name: {each["name"]: each for each in event["outputs"]} for name, event in ended.items()}

    def taken(table, column):
        fields = made[table][table]["facets"]["columnLineage"]["fields"][column]["inputFields"]
        return {(each["name"], each["field"]) for each in fields}

    assert ("features.lines", "late") in taken("datasets.late_trips", "lines__late_mean_3d")
    assert ("datasets.late_trips", "lines__late_mean_3d") in taken("gold.trip_scores", "score")
    for name in ("models.trip_late", "tuning.trip_late"):
        (read,) = [each for each in ended[name]["inputs"] if each["name"] == "datasets.late_trips"]
        assert read["facets"]["version"]["datasetVersion"] == "0"
        assert made[name][name]["facets"]["version"]["datasetVersion"]
    assert "models.trip_late" in {each["name"] for each in ended["gold.trip_scores"]["inputs"]}
