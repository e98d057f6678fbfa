"""The root's lock: held by one process, freed when that process dies in whatever way."""

import signal
import threading

import pytest

from lakeloom.core.errors import RunError, StoreError
from lakeloom.store.lock import locked
from tests.holding import held


def test_a_killed_holder_frees_the_lock(root):
    with held(root) as child:
        with pytest.raises(RunError) as caught, locked(root):
            pass
        assert caught.value.code == "LL-RUN-002" and caught.value.transient
        assert f"process {child.pid}" in caught.value.message
        child.send_signal(signal.SIGKILL)
        child.wait()
        with locked(root):
            pass


def test_the_lock_is_freed_by_an_error_within(root):
    with pytest.raises(ZeroDivisionError), locked(root):
        raise ZeroDivisionError
    with locked(root):
        pass


def test_a_root_that_is_a_file_cannot_be_written(tmp_path):
    (tmp_path / "root").write_text("in the way")
    with pytest.raises(StoreError) as caught, locked(tmp_path / "root"):
        pass
    assert caught.value.code == "LL-STORE-004"


def test_a_run_may_wait_for_another_one(root, caplog):
    with held(root) as child:
        with pytest.raises(RunError, match="another run holds"), locked(root, wait_s=0.3):
            pass
        assert [record.getMessage() for record in caplog.records] == [
            f"waiting for process {child.pid}, which runs on {root.name}"
        ]
        leaving = threading.Timer(0.3, child.stdin.close)
        leaving.start()
        with locked(root, wait_s=60):
            assert child.wait(timeout=20) == 0
        leaving.join()
