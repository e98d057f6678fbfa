"""PySpark is imported by one thread at a time: of its modules, which import each other, a second would meet halves."""

import subprocess
import sys
from pathlib import Path

LIB = Path(__file__).resolve().parents[2] / "lib"
# The first comes to a stop amid the import, as a slow disk makes it; the second begins then: it has taken the lock of
# `pyspark.sql` and waits for that of `pyspark`, whose import wants the other.
TWO = """
import importlib.abc, sys, threading
begun, seen = threading.Event(), []

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "pyspark.conf" and not begun.is_set():
            begun.set()
            second.join(1)

sys.meta_path.insert(0, Slow())
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
