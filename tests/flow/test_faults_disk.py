"""A full disk in the middle of a run, and a root that one may not write: a coded error, and once it is mended all is well."""

import json
import os
import resource
import subprocess
import sys

import pytest

from tests.scenarios.flights import HOME
from tests.scenarios.killing import content
from tests.shop import lay_out


def lakeloom(conf, root, *words, **options):
    command = [sys.executable, "-m", "lakeloom.cli", *words, "--conf", str(conf), "--json"]
    environment = os.environ | {"LAKELOOM_HOME": str(root), "PYTHONPATH": str(HOME / "lib")}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}  # Python would leave its caches cut off, for everybody after it
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, **options)


def small():
    """Let no file of this process and its children grow beyond 3 KiB: the system then answers as a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 10, 3 << 10))


def test_a_full_disk_is_told_and_the_next_run_makes_what_an_undisturbed_one_makes(tmp_path, shop):
    conf, root = lay_out(tmp_path / "again"), tmp_path / "full"
    failed = lakeloom(conf, root, "run", preexec_fn=small)
    assert failed.returncode == 1, failed.stderr
    assert "LL-STORE-004" in failed.stderr + failed.stdout
    assert "Traceback" not in failed.stderr
    assert not [name for name in content(root) if not name.startswith("meta.")]  # nothing half-made was published
    mended = lakeloom(conf, root, "run")
    assert mended.returncode == 0, mended.stderr
    assert {step["status"] for step in json.loads(mended.stdout)["steps"]} == {"done"}
    shop.run()
    undisturbed, found = content(shop.lake.root), content(root)
    # A failed landing leaves its epoch unused, which positions show: rows are compared by number here.
    assert {table: rows for table, (rows, _) in found.items()} == {
        table: rows for table, (rows, _) in undisturbed.items()
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_root_that_one_may_not_write_is_refused_before_anything_starts(tmp_path, monkeypatch):
    from lakeloom.core.errors import StoreError
    from lakeloom.store.lock import locked

    root = tmp_path / "root"
    root.mkdir(mode=0o755)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # in the child: as nobody, who may only read
        code = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            with locked(root):
                os.write(writer, b"written")
        except StoreError as error:
            os.write(writer, error.code.encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    assert (os.read(reader, 100), os.waitstatus_to_exitcode(status)) == (b"LL-STORE-004", 0)
    os.close(reader)
