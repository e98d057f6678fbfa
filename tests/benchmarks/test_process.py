import sys

import pytest

from benchmarks.process import run


def test_a_jvm_that_a_child_starts_is_counted(tmp_path):
    starts_java = (
        "import os, subprocess; subprocess.run([os.environ['JAVA_HOME'] + '/bin/java', '-version'], check=True)"
    )
    assert run([sys.executable, "-c", starts_java], tmp_path).jvms == 1
    assert run([sys.executable, "-c", "print('quiet')"], tmp_path).jvms == 0


def test_a_program_that_fails_says_how_it_ended(tmp_path):
    with pytest.raises(RuntimeError, match="ended with 3: no luck"):
        run([sys.executable, "-c", "import sys; sys.stderr.write('no luck'); sys.exit(3)"], tmp_path)
