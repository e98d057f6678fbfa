"""What the package asks for: everything on a bare machine, nothing that a platform's runtime brings on a runtime."""

import os
import re
import shutil
import subprocess
import sys
from email.parser import Parser
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BROUGHT = {"pyspark", "delta-spark", "pyarrow", "numpy", "pandas", "mlflow", "torch", "scikit-learn", "scipy"}


def metadata(folder, **env):
    """Return the metadata and the entry points that a wheel would have."""
    core = folder / "lib" / "lakeloom" / "core"
    core.mkdir(parents=True)
    (core.parent / "__init__.py").touch()
    shutil.copy(CHECKOUT / "lib" / "lakeloom" / "core" / "release.py", core)
    shutil.copy(CHECKOUT / "setup.py", folder)
    command = [sys.executable, "setup.py", "-q", "dist_info"]
    subprocess.run(command, cwd=folder, env=os.environ | env, check=True, capture_output=True, timeout=120)
    (info,) = folder.glob("*.dist-info")
    return Parser().parsestr((info / "METADATA").read_text()), (info / "entry_points.txt").read_text()


def names(requirements):
    return {re.split(r"[<>=;\s]", each)[0] for each in requirements}


def test_a_wheel_for_a_runtime_asks_for_nothing_that_it_brings(tmp_path):
    whole, programs = metadata(tmp_path / "whole")
    lean, _ = metadata(tmp_path / "lean", LAKELOOM_WHEEL="runtime")
    asked, left = names(whole.get_all("Requires-Dist")), names(lean.get_all("Requires-Dist"))
    assert asked >= BROUGHT
    assert left & BROUGHT == set()
    assert {"pydantic", "deltalake", "sqlglot", "cronsim", "hyperopt"} <= left < asked
    assert (whole["Version"], lean["Version"]) == ("0.1.0", "0.1.0+runtime")
    assert whole.get_all("Provides-Extra") == lean.get_all("Provides-Extra")
    assert "databricks" in whole.get_all("Provides-Extra")
    assert "lakeloom-step = lakeloom.cli.job:step" in programs
