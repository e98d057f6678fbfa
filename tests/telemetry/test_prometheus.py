import math

import pytest

from lakeloom.telemetry.facts import facts
from lakeloom.telemetry.prometheus import text
from lakeloom.telemetry.samples import STATUSES, Sample, samples
from tests.telemetry.log import LOG
from tests.telemetry.parser import parse


def found(log=LOG, project="shop"):
    return parse(text(samples(facts(log, run="r1", project=project, env="local"))))


def value(name, **labels):
    (one,) = [each for each in found() if each[0] == name and labels.items() <= each[1].items()]
    return one[2]


def test_a_runs_figures_are_read_back_as_they_were():
    assert value("lakeloom_run_success") == 0 and value("lakeloom_run_duration_seconds") == 6
    assert value("lakeloom_run_info", run_id="r1", status="failed", project="shop", env="local") == 1
    assert [value("lakeloom_run_steps", status=status) for status in STATUSES] == [1, 1, 1, 1]
    assert value("lakeloom_run_ended_timestamp_seconds") - value("lakeloom_run_started_timestamp_seconds") == 6
    assert value("lakeloom_step_rows_out", step="silver.a", kind="transform") == 9
    assert value("lakeloom_step_rows_quarantined", step="silver.a") == 1
    assert value("lakeloom_step_task_seconds", step="silver.a") == 2.5
    assert value("lakeloom_step_success", step="bronze.a") == 1 and value("lakeloom_step_success", step="gold.b") == 0
    assert value("lakeloom_table_newest_timestamp_seconds", table="silver.a") == 1767484800
    assert not any(labels.get("table") == "silver.b" for _, labels, _ in found())
    assert not any(name.endswith("rows_out") and labels["step"] == "bronze.a" for name, labels, _ in found())


def test_a_streams_figures_are_among_them():
    told = {"watermark": "2026-01-04T00:00:00+00:00", "late": 2, "state_rows": 7, "state_bytes": 99, "since": 1}
    event = next(each for each in LOG if each.get("name") == "silver.a") | {"stream": told}
    rows = {name: number for name, labels, number in found([LOG[0], event]) if labels.get("step") == "silver.a"}
    assert rows["lakeloom_step_rows_late"] == 2 and rows["lakeloom_step_watermark_timestamp_seconds"] == 1767484800
    assert rows["lakeloom_step_state_rows"] == 7 and rows["lakeloom_step_state_bytes"] == 99
    without = [LOG[0], event | {"stream": told | {"watermark": None}}]
    assert "lakeloom_step_watermark_timestamp_seconds" not in {name for name, _, _ in found(without)}


def test_no_text_of_an_error_is_in_it():
    assert "Ada" not in text(samples(facts(LOG, run="r1", project="shop", env="local")))


def test_a_killed_runs_log_gives_what_it_has():
    rows = {name: number for name, _, number in found(LOG[:3])}
    assert rows["lakeloom_run_success"] == 0 and rows["lakeloom_run_duration_seconds"] == 3.5


def test_labels_are_escaped():
    assert {labels["project"] for _, labels, _ in found(project='a"b\\c\nd')} == {'a"b\\c\nd'}


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e-9, 1e300, 0, -3, 2.5])
def test_every_number_can_be_written(number):
    (one,) = parse(text([Sample("lakeloom_x", number, (("a", "b"),), help="x")]))
    assert one[2] == number or math.isnan(one[2]) == math.isnan(number)


@pytest.mark.parametrize(
    "wrong",
    ["x 1\n", "# HELP x y\n# TYPE x gauge\nx 1", "# HELP x y\n# TYPE x gauge\nx{a=b} 1\n",
     "# HELP x y\n# TYPE x gauge\nx 1\nx 1\n", "# HELP x y\n# TYPE x gauge\nx one\n"],
)  # fmt: skip
def test_the_parser_is_strict(wrong):
    with pytest.raises(ValueError):
        parse(wrong)
