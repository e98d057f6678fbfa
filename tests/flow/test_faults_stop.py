"""Ctrl-C in a run of a process of its own: it stops in good order, and the next run goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lakeloom.store.intents import Intents

LIB = Path(__file__).resolve().parents[2] / "lib"


def test_ctrl_c_stops_and_the_next_run_goes_on(shop):
    root = shop.project().root
    process = subprocess.Popen(
        [sys.executable, "-m", "lakeloom.cli", "run", "--conf", str(shop.conf)],
        env=os.environ | {"PYTHONPATH": str(LIB)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (root / "intents" / "silver.orders").is_dir() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=120)
    assert process.returncode == 130, said + complained
    assert "Traceback" not in said + complained
    assert "gold.cities" not in Intents(root).steps()  # no step was begun after the stop
    assert shop.run().status == "done"
    assert shop.rows("gold.cities", "city", "orders") == [("Oslo", 1), ("Rome", 1)]
    assert len(shop.rows("bronze.orders", "order_id")) == 3
    assert shop.lake.size("quarantine.silver__orders").rows == 1
