"""PySpark is imported by one thread at a time: of its modules, which import each other, a second would meet halves."""

import subprocess
import sys
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib"
# The first comes to a stop amid the import, as a slow disk makes it, until the second waits: for us, or for a lock that the
# first holds while it will want one of the second's. The stop is in a module's own code: while a module is looked for,
# importlib holds a lock over all imports, and the second would wait for that.
TWO = """
import sys, threading, time
from importlib.machinery import PathFinder
begun, seen = threading.Event(), []

def until_the_second_waits():
    locks, end = sys.modules["_frozen_importlib"]._blocking_on, time.monotonic() + 60
    while second.ident not in locks and sys._current_frames()[second.ident].f_code.co_name != "import_spark":
        assert time.monotonic() < end, "the second has not come to wait"
        time.sleep(0.01)

class Slow:
    @staticmethod
    def find_spec(name, path, target=None):
        if name != "pyspark.conf":
            return None
        spec = PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module

        def slowly(module):
            begun.set()
            until_the_second_waits()
            load(module)

        spec.loader.exec_module = slowly
        return spec

sys.meta_path.insert(0, Slow)
from lakeloom.session.spark import import_spark

def first():
    {one}
    seen.append(1)

def other():
    begun.wait(60)
    {two}
    from pyspark.sql import SparkSession
    seen.append(2)

second = threading.Thread(target=other)
one = threading.Thread(target=first)
second.start(), one.start(), one.join(), second.join()
sys.exit(0 if sorted(seen) == [1, 2] else 1)
"""


def ends(one, two):
    words = [sys.executable, "-c", TWO.format(one=one, two=two)]
    return subprocess.run(words, env={"PYTHONPATH": str(LIB)}, capture_output=True, text=True, timeout=120, check=False)


def test_the_second_waits_for_the_first():
    done = ends("import_spark()", "import_spark()")
    assert done.returncode == 0, done.stderr


def test_without_it_the_second_meets_halves():
    done = ends("import pyspark", "import pyspark.sql")
    assert done.returncode == 1 and "ImportError" in done.stderr, done.stderr
