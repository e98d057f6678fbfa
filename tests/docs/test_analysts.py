"""The snippets of the analysts' page, as they stand there, on a project whose tables were written without Spark."""

import subprocess
import sys

from tests.api.conftest import home
from tests.docs.guide import GUIDE, blocks, environment

__all__ = ["home"]


def test_every_snippet_of_the_page_runs_without_spark(home):
    found = [block for block in blocks((GUIDE / "analysts.md").read_text()) if block.language == "python"]
    assert len(found) == 4
    # One process for all: each begins with its own imports.
    text = "\n".join(block.text for block in found) + "\nimport sys\nassert 'pyspark' not in sys.modules\n"
    done = subprocess.run(
        [sys.executable, "-"], input=text, cwd=home, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "country" in done.stdout and "orders" in done.stdout
