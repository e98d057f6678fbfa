"""Flows by what is declared: landings, ways of writing, the point-in-time join, training and scores; no Spark."""

import pytest

from lakeloom.config.load import read
from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
from lakeloom.project.check import checked
from lakeloom.project.flows import answers, fitted, landed, scored, written
from lakeloom.project.graph import steps
from lakeloom.tables.spec import TableSpec
from tests.trips import lay_out

MADE = Flows(
    {
        name: ColumnFlow(name, "same", (Flow("bronze.x", name, "value"),))
        for name in ("id", "at", "city", "_position", "_deleted", "_faults", "_unread", "_changed_trim")
    },
    (Flow("bronze.x", "", "rows"),),
)


def spec(**words):
    return TableSpec.model_validate({"from": {"bronze.x": "new"}, "sql": "x.sql", "keys": ["id"]} | words)


@pytest.fixture(scope="module")
def trips(tmp_path_factory):
    return checked(read(lay_out(tmp_path_factory.mktemp("trips"))))


def rows(flows):
    return {(flow.column, flow.how) for flow in flows.rows}


def test_a_landing_takes_the_sources_columns_and_adds_its_own():
    flows = landed("orders", ["id", "_position"])
    assert flows.columns["id"].flows == (Flow("sources.orders", "id", "value"),)
    assert flows.columns["_position"].flows == ()
    assert flows.tables == {"sources.orders"}


def test_an_appended_table_has_the_columns_that_were_made_without_their_marks():
    found = written("silver.x", spec(write={"mode": "append"}), MADE)
    assert list(found["silver.x"].columns) == ["id", "at", "city", "_position"]
    assert rows(found["silver.x"]) == {("", "rows")}
    assert found["quarantine.silver__x"].tables == {"bronze.x"}
    assert "aside.silver__x" not in found


def test_a_merge_is_grouped_by_its_keys_and_ordered_by_its_sequence():
    found = written("silver.x", spec(write={"mode": "merge", "sequence_by": "at"}), MADE)
    assert rows(found["silver.x"]) == {("", "rows"), ("id", "grouping"), ("at", "window")}
    assert found["aside.silver__x"].tables == {"bronze.x"}


MERGED = {"mode": "merge", "sequence_by": "at"}


def test_what_says_which_rows_delete_decides_about_every_column():
    found = written("silver.x", spec(write=MERGED | {"delete_when": "city = 'Atlantis'"}), MADE)
    (flow,) = [flow for flow in found["silver.x"].rows if flow.how == "filter"]
    assert flow == Flow("bronze.x", "_deleted", "filter", "city = ?")
    history = MERGED | {"mode": "scd4", "delete_when": "city = ''", "history": "silver.x_history"}
    found = written("silver.x", spec(write=history), MADE)
    for table in ("silver.x", "silver.x_history"):
        assert ("_deleted", "filter") in rows(found[table])


def test_without_a_plan_the_words_of_the_condition_say_which_rows_delete():
    made = Flows({name: flow for name, flow in MADE.columns.items() if name != "_deleted"}, MADE.rows, "sql", "large")
    found = written("silver.x", spec(write=MERGED | {"delete_when": "CITY = 'Atlantis' and _op is null"}), made)
    assert ("city", "filter") in rows(found["silver.x"])


def test_a_stream_of_changes_says_which_rows_delete():
    words = {"sql": None, "changes": "debezium", "columns": {"id": "bigint"}, "write": MERGED}
    assert ("_deleted", "filter") in rows(written("silver.x", spec(**words), MADE)["silver.x"])


def test_what_an_update_asks_of_the_new_row_and_the_old_one_decides_about_every_column():
    nested = ColumnFlow("more", "same", (Flow("bronze.x", "more", "value"),))
    made = Flows(MADE.columns | {"more": nested}, MADE.rows)
    condition = "new.city <> old.City AND new.more.n > 4711"
    found = written("silver.x", spec(write=MERGED | {"update_when": condition}), made)["silver.x"]
    told = {flow.column: flow.expression for flow in found.rows if flow.how == "filter"}
    assert told == dict.fromkeys(("city", "more.n"), "new.city <> old.City AND new.more.n > ?")


@pytest.mark.parametrize("mode", ["scd2", "scd4"])
def test_a_history_knows_its_span(mode):
    write = {"mode": mode, "sequence_by": "at"} | ({"history": "silver.x_history"} if mode == "scd4" else {})
    found = written("silver.x", spec(write=write), MADE)
    history = found["silver.x_history" if mode == "scd4" else "silver.x"]
    for column in ("valid_from", "valid_to", "is_current"):
        assert history.columns[column].flows == (Flow("bronze.x", "at", "value"),)
    assert ("valid_from" in found["silver.x"].columns) == (mode == "scd2")


def test_a_renamed_column_is_noted_under_both_names():
    columns = {"id": "bigint", "at": "timestamp", "town": {"type": "string", "renamed_from": "city"}}
    assert written("silver.x", spec(write={"mode": "append"}, columns=columns), MADE)["silver.x"].renamed == {
        "town": "city"
    }


def test_what_a_join_as_of_a_time_gives_is_of_the_views_column_at_its_times_and_keys(trips):
    found = answers(trips, "late_trips")
    assert set(found) == {"lines__late_mean_3d", "lines__late_count_3d"}
    mean = found["lines__late_mean_3d"]
    assert mean.sources == {("features.lines", "late")}
    assert (mean.text, mean.way) == ("mean(late)", "aggregated")
    assert {(flow.column, flow.how) for flow in mean.beside} == {
        ("_event_time", "filter"), ("_available_at", "filter"), ("line", "join key"),
    }  # fmt: skip


def test_a_model_is_of_its_features_and_label_and_a_score_of_the_model(trips):
    (train,) = [step for step in steps(trips) if step.name == "models.trip_late"]
    flows = fitted(trips, train)
    values = {(flow.table, flow.column) for flow in flows.rows if flow.how == "value"}
    assert values == {
        ("datasets.late_trips", name) for name in ("line", "load", "lines__late_mean_3d", "lines__late_count_3d", "label")
    } | {("tuning.trip_late", "")}  # fmt: skip
    found = scored(trips, "trip_late")
    assert ("models.trip_late", "") in found["score"].sources
    assert found["id"].way == "same"
