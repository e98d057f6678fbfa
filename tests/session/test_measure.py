"""What is measured of Spark's jobs: by whom they were started, how much they took, and that nothing fails of it."""

import threading
import time

from lakeloom.session import measure
from lakeloom.session.measure import Meter, Meters, Resources, summed
from lakeloom.session.spark import step_session


def stage(**figures):
    names = ("numCompleteTasks", "numFailedTasks", "executorRunTime", "executorCpuTime", "jvmGcTime", "inputBytes",
             "outputBytes", "shuffleWriteBytes", "diskBytesSpilled")  # fmt: skip
    return dict.fromkeys(names, 0) | figures


def test_stages_are_summed_in_units_that_names_say_and_the_worst_skew_is_kept():
    found = summed(
        2,
        [
            stage(numCompleteTasks=4, executorRunTime=1500, executorCpuTime=2_000_000_000, inputBytes=10),
            stage(numCompleteTasks=1, numFailedTasks=1, shuffleWriteBytes=7, diskBytesSpilled=3, outputBytes=5),
        ],
        [(1.0, 1.5), (2.0, 9.0)],
    )
    assert (found.jobs, found.stages, found.tasks, found.failed_tasks) == (2, 2, 5, 1)
    assert (found.task_seconds, found.cpu_seconds) == (1.5, 2.0)
    assert (found.bytes_read, found.bytes_written, found.shuffle_bytes, found.spilled_bytes) == (10, 5, 7, 3)
    assert (found.median_task_s, found.longest_task_s) == (2.0, 9.0)
    assert summed(0, []) == Resources()


def test_threads_side_by_side_are_told_apart(spark, tmp_path):
    found, together = {}, threading.Barrier(2)

    def work(name, rows):
        meter = Meter()
        with step_session(spark) as session:
            meter.begin(session)
            together.wait(timeout=60)
            frame = session.range(rows).selectExpr("id % 5 AS k", "id").repartition(2, "k")
            frame.join(session.range(5).withColumnRenamed("id", "k"), "k").write.parquet(str(tmp_path / name))
            found[name] = meter.read()
            meter.end()

    threads = [threading.Thread(target=work, args=args) for args in (("small", 10), ("large", 200_000))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    small, large = found["small"], found["large"]
    assert small.tasks >= 3 and large.tasks >= 3 and large.task_seconds > 0
    assert 0 < small.bytes_written < large.bytes_written
    assert 0 < small.shuffle_bytes < large.shuffle_bytes


def test_a_step_that_runs_alone_is_given_the_jobs_of_every_thread(spark):
    tagged, alone = Meter(), Meter(alone=True)
    tagged.begin(spark)
    alone.begin(spark)
    other = threading.Thread(target=lambda: spark.range(1000, numPartitions=2).count())
    other.start()
    other.join(timeout=60)
    assert tagged.read() == Resources()
    assert alone.read().tasks >= 2
    tagged.end()
    alone.end()


def test_what_was_read_before_begin_and_after_end_is_not_counted(spark):
    spark.range(10).count()
    meter = Meter()
    assert meter.read() is None
    meter.begin(spark)
    assert meter.read() == Resources()
    meter.end()
    spark.range(10).count()
    assert meter.read() is None


def test_skewed_tasks_show_in_median_and_longest(spark, monkeypatch):
    monkeypatch.setattr("lakeloom.session.measure._STAGE_MS", 300)

    def slow(index, rows):
        time.sleep(0.4 if index == 0 else 0.0)  # the work itself: one task of four is long
        return rows

    job = spark.sparkContext.parallelize(range(8), 4).mapPartitionsWithIndex(slow)
    job.count()  # starts Python's workers, which would lengthen every task
    meter = Meter()
    meter.begin(spark)
    job.count()
    found = meter.read()
    meter.end()
    assert found.longest_task_s >= 0.4 and found.longest_task_s - found.median_task_s > 0.2


def test_an_application_without_such_interfaces_is_not_measured():
    class Connect:
        @property
        def sparkContext(self):  # noqa: N802 - Spark's name
            raise RuntimeError("not on Spark Connect")

    meter = Meter()
    meter.begin(Connect())
    assert meter.read() is None
    meter.end()


def counted(spark, monkeypatch):
    """Return a list that the lengths of the JVM's answers to this thread come into."""
    answers, me = [], threading.get_ident()
    client = spark.sparkContext._gateway._gateway_client
    send = client.send_command

    def asked(*args, **kwargs):
        answer = send(*args, **kwargs)
        if threading.get_ident() == me:
            answers.append(len(answer[0] if isinstance(answer, tuple) else answer))
        return answer

    monkeypatch.setattr(client, "send_command", asked)
    return answers


def test_jobs_and_stages_that_spark_has_forgotten_raise_nothing_and_cost_no_long_answer(spark, monkeypatch):
    """Of more than a thousand it forgets the skipped stages of jobs that have just ended first."""
    core = spark.sparkContext._jsc.sc()
    answers = counted(spark, monkeypatch)
    assert (measure._stages(core, [10**6]), measure._figures(core, 10**6)) == ([], None)
    assert answers and max(answers) < 200


def test_reading_costs_few_and_short_calls_of_the_jvm(spark, tmp_path, monkeypatch):
    """Calls are counted, not seconds: a busy machine must not fail this. A long answer would wait (see `_stages`)."""
    meter = Meter()
    meter.begin(spark)
    for number in range(5):
        frame = spark.range(1000).selectExpr("id % 5 AS k").groupBy("k").count()
        frame.write.format("delta").save(str(tmp_path / str(number)))
    # Where events are still under way the wait for them ends by an exception, whose trace pyspark asks for.
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty(60_000)
    answers = counted(spark, monkeypatch)
    found = meter.read()
    meter.end()
    assert found.stages >= 5
    assert 0 < len(answers) < 30 * (found.jobs + found.stages)
    assert max(answers) < 200


def test_each_thread_has_its_own_meter():
    meters, seen = Meters(), []
    meters.put(Meter())
    other = threading.Thread(target=lambda: seen.append(meters.current()))
    other.start()
    other.join(timeout=10)
    assert seen == [None] and meters.current() is not None
