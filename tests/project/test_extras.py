"""What a project's kinds need is told by `check` and `plan`; `run` stops at the steps that need it only."""

import sys

import pytest

from lakeloom.config.load import read
from lakeloom.core.extras import EXTRAS, command
from lakeloom.flow.planning import plan
from lakeloom.project.check import check, checked
from lakeloom.project.extras import lacking, needs
from lakeloom.project.graph import steps
from tests.trips import lay_out


@pytest.fixture
def conf(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return lay_out(tmp_path)


def test_each_step_needs_what_it_imports(conf):
    wanted = {step.name: needs(step) for step in steps(checked(read(conf)))}
    assert wanted["tuning.trip_late"] == ["train", "tune"]
    assert wanted["models.trip_late"] == wanted["gold.trip_scores"] == ["train"]
    assert wanted["bronze.trips"] == wanted["silver.trips"] == wanted["datasets.late_trips"] == []


def test_a_communicator_is_brought_by_its_extra(conf):
    models = conf / "trips" / "models.yml"
    models.write_text(models.read_text().replace("{kind: logistic}", "{kind: tabular_net}\n    train: {kind: horovod}"))
    wanted = {step.name: needs(step) for step in steps(checked(read(conf)))}
    assert wanted["models.trip_late"] == ["train", "horovod"]
    assert wanted["tuning.trip_late"] == ["train", "tune"]


def test_check_tells_each_package_once_at_the_key_that_asks_for_it(conf, monkeypatch):
    assert check(read(conf))[1] == []
    for module in ("hyperopt", "sklearn"):
        monkeypatch.setitem(sys.modules, module, None)
    found = {finding.path: finding for finding in check(read(conf))[1]}
    assert set(found) == {"models.trip_late.estimator", "models.trip_late.tune"}
    tune = found["models.trip_late.tune"]
    assert (tune.code, tune.fix) == ("LL-SETUP-003", command("tune"))
    lines = (conf / "trips" / "models.yml").read_text().splitlines()
    assert lines[tune.line - 1].strip().startswith("tune:")
    assert "sklearn" in found["models.trip_late.estimator"].message


def test_the_data_path_is_not_stopped(conf, monkeypatch):
    monkeypatch.setitem(sys.modules, "hyperopt", None)
    project = checked(read(conf))
    assert {step.name for step in steps(project) if lacking(step)} == {"tuning.trip_late"}
    said = {entry.step.name: entry.reasons for entry in plan(project)}
    assert command("tune") in said["tuning.trip_late"][-1]
    assert not any(command(extra) in " ".join(said["silver.trips"]) for extra in EXTRAS)
