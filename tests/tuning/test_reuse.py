import os

from lakeloom.tuning.reuse import ReusingSession, drained


def worker(_):
    yield os.getpid()


def test_the_input_is_read_to_its_end():
    rows = iter([1, 2, 3])
    assert list(drained(worker, rows)) == [os.getpid()]
    assert list(rows) == []


def test_workers_are_reused(spark):
    context = ReusingSession(spark).sparkContext
    found = {context.parallelize([0], 1).mapPartitions(worker).collect()[0] for _ in range(4)}
    assert len(found) == 1 and os.getpid() not in found
