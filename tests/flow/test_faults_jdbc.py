"""A database that refuses or goes away, while files go on landing; its password is found nowhere afterwards."""

import json
from pathlib import Path

import pyspark
import pytest

from lakeloom.core import secrets
from lakeloom.session.settings import jars_home
from lakeloom.sources.jdbc import Jdbc
from tests.sources.jdbc.derby_server import PASSWORD, USER, DerbyServer

DRIVER = "org.apache.derby.client.ClientAutoloadedDriver"
WRONG = "sorrel-magpie-83"
SOURCE = """\
  planes:
    kind: jdbc
    url: {url}
    driver: {driver}
    table: {user}.planes
    user: ${{secret:fleet/user}}
    password: ${{secret:fleet/password}}
    keys: [N]
    incremental: {{by: UPDATED_AT, overlap: 1 minute}}
"""
TABLE = """\
  silver.planes:
    from: {bronze.planes: new}
    sql: select N as n, UPDATED_AT as updated_at, _position from bronze.planes
    keys: [n]
    write: {mode: merge, sequence_by: _position}
"""


@pytest.fixture
def server(spark, tmp_path):
    own = sorted((jars_home() / "test").glob("derby*.jar"))
    if not own:
        pytest.skip("Derby's server jars are not in environment/jars/test: run make setup")
    found = DerbyServer(tmp_path / "derby", [*own, *Path(pyspark.__path__[0]).glob("jars/derby*.jar")])
    found.home.mkdir()
    found.start()
    execute(
        spark,
        found,
        "CREATE TABLE planes (n INT, updated_at TIMESTAMP)",
        "INSERT INTO planes VALUES (1, '2013-01-01 00:00:01'), (2, '2013-01-01 00:00:02')",
    )
    yield found
    found.kill()


def execute(spark, server, *statements):
    jvm = spark._jvm
    about = jvm.java.util.Properties()
    about.setProperty("user", USER)
    about.setProperty("password", PASSWORD)
    connection = jvm.java.lang.Class.forName(DRIVER).newInstance().connect(f"{server.url};create=true", about)
    for statement in statements:
        connection.createStatement().execute(statement)
    connection.close()


def holders(folder, word):
    """Return the files under `folder` that hold `word`, the database's own folder aside."""
    files = [file for file in folder.rglob("*") if file.is_file() and "derby" not in file.parts]
    assert len(files) > 20
    return [str(file.relative_to(folder)) for file in files if word.encode() in file.read_bytes()]


def error_of(result, name):
    return next(step for step in result.steps if step.name == name).error


def test_a_wrong_password_then_a_server_that_goes_away_then_all_is_well(
    shop, spark, server, monkeypatch, capfd, caplog
):
    (shop.conf / "shop" / "sources.yml").open("a").write(SOURCE.format(url=server.url, driver=DRIVER, user=USER))
    (shop.conf / "shop" / "tables.yml").open("a").write(TABLE)
    (shop.conf / "base.yml").open("a").write("retries: 1\n")
    monkeypatch.setenv("LAKELOOM_SECRET_FLEET_USER", USER)
    monkeypatch.setenv("LAKELOOM_SECRET_FLEET_PASSWORD", WRONG)
    refused = shop.run()
    assert refused.exit_code == 1
    assert error_of(refused, "bronze.planes")["code"] == "LL-SOURCE-002"
    blocked = {"bronze.planes": "failed", "silver.planes": "blocked"}
    assert (
        shop.statuses(refused)
        == dict.fromkeys(
            ["bronze.orders", "bronze.customers", "silver.orders", "silver.customers", "gold.cities"], "done"
        )
        | blocked
    )

    monkeypatch.setenv("LAKELOOM_SECRET_FLEET_PASSWORD", PASSWORD)
    read, seen = Jdbc.read, []

    def goes_away(session, config, batch, known, base):
        seen.append("read")
        server.kill()
        return read(session, config, batch, known, base)

    with monkeypatch.context() as patched:
        patched.setattr(Jdbc, "read", goes_away)
        gone = shop.run("+silver.planes")
    assert error_of(gone, "bronze.planes")["code"] == "LL-SOURCE-001"
    assert shop.statuses(gone) == blocked
    assert seen == ["read", "read"]  # transient: tried again

    server.start()
    plans = []

    def told(session, config, batch, known, base):
        landing = read(session, config, batch, known, base)
        plans.append(landing.good._jdf.queryExecution().toString())
        return landing

    with monkeypatch.context() as patched:
        patched.setattr(Jdbc, "read", told)
        assert shop.run("+silver.planes").status == "done"
        execute(spark, server, "INSERT INTO planes VALUES (3, '2013-01-01 00:00:03')")
        assert shop.run("+silver.planes").status == "done"
    assert shop.rows("silver.planes", "n") == [(1,), (2,), (3,)]
    assert len(shop.rows("bronze.planes", "n")) == 3

    said = "".join(capfd.readouterr()) + caplog.text + json.dumps([refused.as_dict(), gone.as_dict()])
    assert plans
    for word in (PASSWORD, WRONG):
        assert word in secrets._KNOWN
        assert word not in said and not [plan for plan in plans if word in plan]
        assert holders(shop.home, word) == []
    assert server.url not in "".join(plans)
