"""The notebooks run on a storage root made of one month, twice with the same result; they define nothing and are stripped."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakeloom.config.load import read
from lakeloom.flow.runner import run
from lakeloom.project.check import checked

HOME = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((HOME / "notebooks").glob("*.ipynb"))
MODELS = """\
datasets:
  late_flights:
    labels:
      from: gold.flight_plan
      value: arr_delay >= 30
      where: arr_delay is not null
      keys: [flight_date, carrier, flight, origin]
    as_of: sched_dep - interval 2 hours
    features:
      - carrier
      - origin
      - sched_dep_minute
      - weather.*
      - {view: origin_departures, columns: [dep_delay_mean_2h, dep_delay_mean_24h]}
      - {view: leg_arrival, on: {leg: previous_leg}, prefix: previous}
    derive: {previous_late: previous__arr_delay}
    split: {by: flight_date, train: ..2013-01-20, valid: ..2013-01-25, test: ..2013-01-31}
models:
  flight_late:
    dataset: late_flights
    estimator: {kind: tabular_net, embed: [origin], width: 32, layers: 1}
    train: {kind: single, epochs: 2, batch: 1024, lr: 0.003, seed: 7}
    baselines: [base_rate, logistic]
    groups: [carrier]
    promote: {metric: average_precision, on: valid, when: better}
    scores: gold.flight_late_scores
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory, spark, generated):
    """Give a checkout's folders with every table of January, a small dataset and a model."""
    home = tmp_path_factory.mktemp("analyst")
    shutil.copytree(HOME / "conf", home / "conf")
    shutil.copytree(HOME / "notebooks", home / "notebooks")
    (home / "conf" / "flights" / "models.yml").write_text(MODELS)
    laid_out = [sys.executable, home / "conf" / "flights" / "landing.py", "--months", "1", "--to", home / "landing"]
    subprocess.run(laid_out, check=True, timeout=120, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LAKELOOM_HOME", "LAKELOOM_LANDING"):
            patch.delenv(name, raising=False)
        result = run(checked(read(home / "conf" / "flights")), ["+gold.*", "+silver.planes"])
    assert result.status == "done", [step for step in result.steps if step.error]
    return home


def shown(output):
    """Return what a reader sees of an output: no object's address, no random id of a styled table."""
    data = dict(output.get("data") or {"text/plain": output.get("text")})
    if set(data) & {"text/html", "image/png"}:
        data.pop("text/plain", None)
    return {kind: re.sub(r"T_[0-9a-f]{5}", "T", text) for kind, text in data.items()}


def executed(notebook, folder, monkeypatch):
    """Run a notebook in `folder` and return what its cells gave: texts, tables, pictures."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(HOME / "lib"))
    pages = nbformat.read(notebook, as_version=4)
    NotebookClient(pages, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return [[shown(output) for output in cell.outputs] for cell in pages.cells if cell.cell_type == "code"]


def named(notebook):
    """Run the first one twice; the others' second run is a long test."""
    return [
        pytest.param(notebook.stem, times, id=f"{notebook.stem}-{times}", marks=[pytest.mark.long] if longer else [])
        for times, longer in ([(2, False)] if notebook == NOTEBOOKS[0] else [(1, False), (2, True)])
    ]


@pytest.mark.parametrize(("name", "times"), [each for notebook in NOTEBOOKS for each in named(notebook)])
def test_a_notebook_runs_and_gives_the_same_twice(name, times, home, monkeypatch):
    before = sorted((home / ".lakeloom").rglob("*.json"))
    notebook = home / "notebooks" / f"{name}.ipynb"
    first, *others = (executed(notebook, notebook.parent, monkeypatch) for _ in range(times))
    assert all(other == first for other in others)
    pictures = [output for cell in first for output in cell if "image/png" in output]
    assert len(pictures) >= 4
    assert sorted((home / ".lakeloom").rglob("*.json")) == before


def cells(notebook):
    pages = json.loads(notebook.read_text(encoding="utf-8"))
    return [cell for cell in pages["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_is_stripped(notebook):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells(notebook))
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    assert metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_imports_and_defines_nothing(notebook):
    tree = ast.parse("\n".join("".join(cell["source"]) for cell in cells(notebook)))
    made = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assert [node.name for node in ast.walk(tree) if isinstance(node, made)] == []
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"lakeloom", "matplotlib.pyplot", "pandas"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_there_is_one_for_each_part_of_the_work():
    assert [notebook.name for notebook in NOTEBOOKS] == ["01_explore.ipynb", "02_features.ipynb", "03_model.ipynb"]
