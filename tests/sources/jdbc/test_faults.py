"""A wrong password, and a database that goes away halfway, against Derby's real network server."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pyspark
import pytest

from lakeloom.core.errors import SourceError
from lakeloom.core.secrets import Secret
from lakeloom.session.settings import jars_home
from lakeloom.sources.jdbc import Jdbc, JdbcConfig
from tests.sources.jdbc.derby_server import PASSWORD, USER, DerbyServer

CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
DRIVER = "org.apache.derby.client.ClientAutoloadedDriver"
ROWS = 30


@pytest.fixture(scope="module")
def server(spark, tmp_path_factory):
    own = sorted((jars_home() / "test").glob("derby*.jar"))
    if not own:
        pytest.skip("Derby's server jars are not in environment/jars/test: run make setup")
    found = DerbyServer(tmp_path_factory.mktemp("derby"), [*own, *Path(pyspark.__path__[0]).glob("jars/derby*.jar")])
    found.start()
    jvm = spark._jvm
    driver = jvm.java.lang.Class.forName(DRIVER).newInstance()
    about = jvm.java.util.Properties()
    about.setProperty("user", USER)
    about.setProperty("password", PASSWORD)
    connection = driver.connect(f"{found.url};create=true", about)
    values = ", ".join(f"({number}, '2013-01-01 00:00:{number:02d}')" for number in range(ROWS))
    for statement in ("CREATE TABLE planes (n INT, updated_at TIMESTAMP)", f"INSERT INTO planes VALUES {values}"):
        connection.createStatement().execute(statement)
    connection.close()
    yield found
    found.kill()


def config(server: DerbyServer, **more) -> JdbcConfig:
    base = {"kind": "jdbc", "url": server.url, "driver": DRIVER, "user": USER, "password": Secret(PASSWORD)}
    return JdbcConfig(**(base | {"table": f"{USER}.planes", "keys": ["n"]} | more))


def test_a_wrong_password_is_terminal_and_says_nothing_of_user_or_password(spark, server):
    wrong = "maple-otter-99"
    with pytest.raises(SourceError) as caught:
        Jdbc.poll(config(server, password=Secret(wrong)), [], CLOCK, lambda: spark, Path())
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-002", False)
    assert wrong not in str(caught.value)
    assert USER not in caught.value.message


def test_a_server_killed_halfway_is_transient_and_the_same_batch_reads_all_after_a_restart(spark, server):
    name = f"{USER}.planes"
    query = (
        "SELECT a.n * 10000 + b.n * 100 + c.n AS n, a.n AS part, a.updated_at"
        f" FROM {name} a, {name} b, {name} c"
    )  # many rows from few, so that the read takes a while
    conf = config(
        server,
        table=None,
        query=query,
        incremental={"by": "updated_at", "overlap": "1 minute"},
        partitions={"column": "part", "number": 3},
        fetch_rows=10,
    )
    batch = Jdbc.poll(conf, [], CLOCK, lambda: spark, Path())
    assert batch is not None
    failed: list[BaseException] = []

    def read() -> None:
        try:
            landing = Jdbc.read(spark.newSession(), conf, batch, None, Path())
            with landing.around:
                landing.good.collect()
        except BaseException as error:
            failed.append(error)

    tracker = spark.sparkContext.statusTracker()
    worker = threading.Thread(target=read)
    worker.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and worker.is_alive():
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        if any(stage is not None and stage.numActiveTasks for stage in stages):
            break
        time.sleep(0.01)
    server.kill()
    worker.join(timeout=120)
    assert [type(error) for error in failed] == [SourceError]
    assert (failed[0].code, failed[0].transient) == ("LL-SOURCE-001", True)

    with pytest.raises(SourceError) as caught:
        Jdbc.poll(conf, [batch], CLOCK, lambda: spark, Path())
    assert (caught.value.code, caught.value.transient) == ("LL-SOURCE-001", True)

    server.start()
    session = spark.newSession()
    landing = Jdbc.read(session, conf, batch, None, Path())
    counts = landing.good.selectExpr("count(*)", "count(distinct n)", "count(distinct _record)")
    with landing.around:
        assert counts.first() == (ROWS**3,) * 3
    plan = landing.good._jdf.queryExecution().toString()
    assert PASSWORD not in plan
    assert server.url not in plan
    session.catalog.clearCache()
    assert Jdbc.poll(conf, [batch], CLOCK, lambda: spark, Path()) is None
