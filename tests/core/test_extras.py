"""A missing package is told by the extra that brings it, and a project's needs are known without importing anything."""

import ast
import json
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lakeloom
from lakeloom.cli.app import app
from lakeloom.core.errors import ConfigError, SetupError
from lakeloom.core.extras import EXTRAS, absent, coded, command, extra_of, missing
from lakeloom.core.kinds import load

SETUP = Path(__file__).resolve().parents[2] / "setup.py"


def declared():
    for node in ast.parse(SETUP.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "EXTRAS":
            return ast.literal_eval(node.value)
    raise AssertionError("setup.py has no EXTRAS")


def test_the_table_is_that_of_the_package():
    assert set(EXTRAS) == set(declared())
    brought = packages_distributions()
    for extra, modules in EXTRAS.items():
        asked = {name.partition(">")[0].partition("=")[0].lower().replace("_", "-") for name in declared()[extra]}
        for module in modules:
            if module in brought and module != "botocore":  # it comes with boto3
                assert asked & {name.lower().replace("_", "-") for name in brought[module]}, module


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("torch", "train"), ("torch.nn", "train"), ("horovod.torch", "horovod"), ("google", "gcp"),
        ("google.cloud", "gcp"), ("azure.storage.blob", "azure"), ("torchvision", None), ("json", None),
        ("google.protobuf", None), ("pandas", None),
    ],
)  # fmt: skip
def test_the_extra_of_a_module(module, extra):
    assert extra_of(module) == extra


def test_what_is_absent_is_found_without_an_import(monkeypatch):
    assert "torch" not in absent("train")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert absent("train") == ["torch"]


def test_an_import_that_fails_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "hyperopt", None)
    with pytest.raises(SetupError) as caught, coded("tuning.x"):
        from hyperopt import hp  # noqa: F401
    assert (caught.value.code, caught.value.where) == ("LL-SETUP-003", "tuning.x")
    assert "hyperopt" in caught.value.message
    assert command("tune") in caught.value.fix


def test_other_failures_are_left_as_they_are():
    assert missing(ValueError("No module named 'torch'")) is None
    assert missing(ModuleNotFoundError("No module named 'nothing'", name="nothing")) is None
    with pytest.raises(ImportError, match="nothing"), coded():
        raise ImportError("nothing")
    with pytest.raises(ConfigError) as caught:
        load("lakeloom.nothing:Thing")
    assert caught.value.code == "LL-CONF-021"


def test_a_kind_whose_module_needs_an_extra_says_so(tmp_path, monkeypatch):
    (tmp_path / "my_kind_of_net.py").write_text("import mlflow\n\n\nclass Net: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(SetupError) as caught:
        load("my_kind_of_net:Net", "models.x")
    assert (caught.value.code, caught.value.where) == ("LL-SETUP-003", "models.x")


def test_a_command_shows_the_error_and_not_a_fault(home, monkeypatch):
    def broken(self):
        import horovod.torch  # noqa: F401

    monkeypatch.setattr(lakeloom.Lakehouse, "tables", broken)
    monkeypatch.setitem(sys.modules, "horovod", None)
    done = CliRunner().invoke(app, ["tables", "--json"])
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["code"]) == (1, "LL-SETUP-003")
    assert "lakeloom[horovod]" in error["fix"]


def test_python_gets_it_too(trained, monkeypatch):
    lake = lakeloom.open(trained[0].home / "conf")
    for name in [name for name in sys.modules if name == "mlflow" or name.startswith("mlflow.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(SetupError) as caught:
        lake.model("trip_late", "an_alias")
    assert caught.value.code == "LL-SETUP-003"
    assert lake.model("trip_late", 1).metrics  # what needs no registry needs no package
