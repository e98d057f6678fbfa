"""`init --from` on real sources: what it writes passes `check`, and a run lands every row; no secret is written."""

import gzip
import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakeloom.api.lakehouse import open_lakehouse
from lakeloom.api.onboarding import onboard
from lakeloom.cli.app import app
from lakeloom.core.errors import ConfigError, SourceError
from tests import servers

ROWS = 60


@pytest.fixture
def home(tmp_path, spark, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return tmp_path


def csv(first=0, sep=","):
    lines = [sep.join(("id", "word", "amount", "at"))]
    lines += [
        sep.join((str(n), f"w{n % 3}", f"{n / 4:.2f}", f"2026-01-{n % 28 + 1:02d} 10:00:00"))
        for n in range(first, first + ROWS)
    ]
    return "\n".join(lines) + "\n"


def landed(home):
    """Check and run the project as it was written; return rows by table, and its parsed config."""
    lake = open_lakehouse(home / "conf")
    assert lake.check() == []
    done = lake.run()
    assert done.status == "done", [step.error for step in done.steps]
    assert {step.quarantined for step in done.steps} == {0}, lake.quarantine()
    return {step.name: step.rows_out for step in done.steps}, lake.raw.document.data


def test_a_folder_of_folders_becomes_a_source_each(home):
    for folder in ("orders", "weather", "trips", "packed"):
        (home / "landing" / folder).mkdir(parents=True)
    (home / "landing/orders/2026-01.csv").write_text(csv(sep=";"), encoding="cp1252")
    (home / "landing/orders/2026-02.csv").write_text(csv(ROWS, sep=";").replace("w1", "ü"), encoding="cp1252")
    (home / "landing/packed/a.csv.gz").write_bytes(gzip.compress(csv().encode()))
    with (home / "landing/weather/a.jsonl").open("w") as stream:
        stream.writelines(
            json.dumps({"id": n, "temp": n / 2, "at": f"2026-01-01T{n % 24:02d}:00:00Z"}) + "\n" for n in range(ROWS)
        )
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(
        pa.table({"id": list(range(ROWS)), "km": [n / 3 for n in range(ROWS)]}), home / "landing/trips/p.parquet"
    )
    told = CliRunner().invoke(app, ["init", "shop", "--from", "landing", "--json"])
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert [each["name"] for each in document["sources"]] == ["orders", "packed", "trips", "weather"]
    assert document["files"] == ["conf/base.yml", "conf/shop/sources.yml", "conf/shop/tables.yml"]
    rows, data = landed(home)
    assert rows == {
        f"{layer}.{name}": 2 * ROWS if name == "orders" else ROWS
        for name in ("orders", "packed", "trips", "weather")
        for layer in ("bronze", "silver")
    }
    sources, tables = data["sources"], data["tables"]
    assert sources["orders"] == {
        "kind": "files", "path": "landing/orders/*.csv", "format": "csv", "options": {"sep": ";"}, "encoding": "cp1252",
        "columns": {"id": "bigint", "at": "timestamp"},
    }  # fmt: skip
    assert sources["packed"]["path"] == "landing/packed/*.csv.gz"
    assert sources["trips"] == {"kind": "files", "path": "landing/trips/*.parquet", "format": "parquet"}
    assert tables["silver.orders"]["columns"]["amount"] == {"type": "decimal(10,2)"}
    assert tables["silver.orders"]["keys"] == ["id"]
    assert {rule["otherwise"] for table in tables.values() for rule in table.get("rules", ())} == {"warn"}
    # A second run does nothing, and another source is added to what is there.
    (home / "conf/shop/sources.yml").write_text("# ours\n" + (home / "conf/shop/sources.yml").read_text())
    (home / "outbox").mkdir()
    (home / "outbox/orders.csv").write_text("1|2.5\n2|3.5\n")
    done = onboard("shop", "outbox/orders.csv", home)
    assert [each.name for each in done.sources] == ["orders_2"]
    text = (home / "conf/shop/sources.yml").read_text()
    assert text.startswith("# ours\n") and text.count("sources:\n") == 1
    rows, data = landed(home)
    assert rows["bronze.orders_2"] == 2 and rows["bronze.orders"] == 0
    assert data["sources"]["orders_2"]["options"] == {"sep": "|", "header": False}
    assert list(data["sources"]["orders_2"]["columns"]) == ["c1", "c2"]


@pytest.mark.parametrize("kind", ["s3", "moto"])
def test_objects_of_a_store_land_and_their_keys_are_placeholders(home, bucket_of, kind, monkeypatch):
    bucket = bucket_of(kind)
    bucket.put("in/orders/2026-01.csv", csv().encode())
    bucket.put("in/orders/2026-02.csv", csv(ROWS).encode())
    ((root, settings),) = bucket.stores.items()
    words = [part for key, value in settings.items() for part in ("--option", f"{key}={value}")]
    told = CliRunner().invoke(app, ["init", "shop", "--from", f"{root}/in/orders", *words])
    assert told.exit_code == 0, told.output
    assert "LAKELOOM_SECRET_SHOP_ACCESS_KEY" in told.stdout
    written = "".join(file.read_text() for file in (home / "conf").rglob("*.yml"))
    for key, value in servers.KEYS.items():
        assert value not in written and value not in told.output
        monkeypatch.setenv(f"LAKELOOM_SECRET_SHOP_{key.upper()}", value)
    rows, data = landed(home)
    assert rows == {"bronze.orders": 2 * ROWS, "silver.orders": 2 * ROWS}
    assert data["sources"]["orders"]["path"] == f"{root}/in/orders/*.csv"
    assert data["stores"][root]["secret_key"] == "${secret:shop/secret_key}"


def test_files_of_an_sftp_server_land_and_what_opens_it_is_a_placeholder(home, bucket_of, monkeypatch):
    bucket = bucket_of("sftp")
    bucket.put("in/orders/2026-01.csv", csv().encode())
    bucket.put("in/orders/2026-02.csv", csv(ROWS).encode())
    bucket.put("in/closed/a.csv", b"")
    (bucket.folder / "in" / "closed").chmod(0)
    ((root, settings),) = bucket.stores.items()
    words = [part for key, value in settings.items() for part in ("--option", f"{key}={value}")]
    told = CliRunner().invoke(app, ["init", "shop", "--from", f"{bucket.root}/in", *words])
    assert told.exit_code == 0, told.output
    written = "".join(file.read_text() for file in (home / "conf").rglob("*.yml"))
    assert settings["key"] not in written
    monkeypatch.setenv("LAKELOOM_SECRET_SHOP_KEY", settings["key"])
    rows, data = landed(home)
    assert rows == {"bronze.orders": 2 * ROWS, "silver.orders": 2 * ROWS}
    assert data["sources"]["orders"]["path"] == f"{bucket.root}/in/orders/*.csv"
    assert data["stores"][root] == {"key": "${secret:shop/key}", "known_hosts": settings["known_hosts"]}


TABLES = (
    "CREATE TABLE planes (tail varchar(10) PRIMARY KEY, seats int, updated_at timestamp)",
    "CREATE INDEX planes_by_time ON planes (updated_at)",
    "CREATE TABLE visits (code int NOT NULL, logged_at timestamp)",
    *(f"INSERT INTO planes VALUES ('N{n}', {100 + n}, '2026-01-01 10:00:{n:02d}')" for n in range(ROWS)),
    "INSERT INTO visits VALUES (1, '2026-01-01 10:00:00')",
)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_tables_of_a_server_land_with_keys_and_watermark(home, databases, kind, monkeypatch):
    database = databases(kind)
    database.run("DROP TABLE IF EXISTS planes", "DROP TABLE IF EXISTS visits", *TABLES)
    word = servers.KEYS["secret_key"]
    sign = "&" if "?" in database.url else "?"
    told = CliRunner().invoke(
        app,
        [
            "init",
            "fleet",
            "--from",
            f"{database.url}{sign}user=loom&password={word}",
            "--table",
            "planes",
            "--table",
            "vis*",
        ],
    )
    assert told.exit_code == 0, told.output
    written = "".join(file.read_text() for file in (home / "conf").rglob("*.yml"))
    assert word not in written and word not in told.output
    monkeypatch.setenv("LAKELOOM_SECRET_FLEET_USER", "loom")
    monkeypatch.setenv("LAKELOOM_SECRET_FLEET_PASSWORD", word)
    rows, data = landed(home)
    assert rows == {"bronze.planes": ROWS, "silver.planes": ROWS, "bronze.visits": 1, "silver.visits": 1}
    assert data["sources"]["planes"] == {
        "kind": "jdbc", "url": database.url, "user": "${secret:fleet/user}", "password": "${secret:fleet/password}",
        "table": "planes", "keys": ["tail"], "incremental": {"by": "updated_at", "overlap": "1 hour"},
    }  # fmt: skip
    assert data["tables"]["silver.planes"]["keys"] == ["tail"]
    assert data["sources"]["visits"]["incremental"] == {"by": "logged_at", "overlap": "1 hour"}
    database.run("UPDATE planes SET seats = 7, updated_at = '2026-01-01 11:00:00' WHERE tail = 'N3'")
    rows, _ = landed(home)
    assert (rows["bronze.planes"], rows["silver.planes"]) == (1, 1)


def test_a_file_of_sqlite_lands_every_table_and_names_that_need_quotes(home):
    (home / "landing").mkdir()
    with sqlite3.connect(home / "landing/fleet.db") as database:
        database.execute("CREATE TABLE planes (tail text PRIMARY KEY NOT NULL, seats integer, updated_at text)")
        database.executemany(
            "INSERT INTO planes VALUES (?, ?, ?)", [(f"N{n}", n, f"2026-01-01 10:00:{n:02d}") for n in range(ROWS)]
        )
        database.execute('CREATE TABLE "order" (id integer, word text)')
        database.execute("""INSERT INTO "order" VALUES (1, 'a')""")
    done = onboard("fleet", "jdbc:sqlite:landing/fleet.db", home)
    assert sorted(each.name for each in done.sources) == ["order", "planes"]
    rows, data = landed(home)
    assert rows == {"bronze.planes": ROWS, "silver.planes": ROWS, "bronze.order": 1, "silver.order": 1}
    assert data["sources"]["order"]["query"] == 'SELECT * FROM "order"'
    assert data["sources"]["planes"]["keys"] == ["tail"]
    assert data["sources"]["planes"]["incremental"]["by"] == "updated_at"


def test_a_database_of_derby_lands(home, spark):
    driver = "org.apache.derby.iapi.jdbc.AutoloadedDriver"
    url = f"jdbc:derby:{home}/landing/fleet"
    servers.Database(spark, f"{url};create=true", driver).run(
        "CREATE TABLE planes (tail varchar(10) PRIMARY KEY, seats int, updated_at timestamp)",
        *(f"INSERT INTO planes VALUES ('N{n}', {n}, '2026-01-01 10:00:{n:02d}')" for n in range(ROWS)),
    )
    onboard("fleet", "jdbc:derby:landing/fleet", home, options={"driver": driver}, tables=["planes"])
    rows, data = landed(home)
    assert rows == {"bronze.planes": ROWS, "silver.planes": ROWS}
    source = data["sources"]["planes"]
    assert (source["table"], source["keys"], source["incremental"]["by"]) == ("PLANES", ["TAIL"], "UPDATED_AT")
    assert data["tables"]["silver.planes"]["keys"] == ["tail"]


@pytest.mark.parametrize(
    ("origin", "options", "code"),
    [
        ("nowhere", {}, "LL-SOURCE-001"),
        ("landing", {}, "LL-SOURCE-008"),
        ("landing/array.json", {}, "LL-SOURCE-008"),
        ("landing/twice.csv", {}, "LL-SOURCE-008"),
        ("landing/cut.csv.gz", {}, "LL-SOURCE-008"),
        ("jdbc:nosuch://127.0.0.1/x", {}, "LL-SOURCE-005"),
        ("jdbc:postgresql://127.0.0.1:1/x", {"user": "u"}, "LL-SOURCE-001"),
        ("jdbc:derby:landing/none", {"driver": "org.apache.derby.iapi.jdbc.AutoloadedDriver"}, "LL-SOURCE-001"),
        ("s4://bucket/a.csv", {}, "LL-CONF-020"),
        ("https://u:p@127.0.0.1/a.csv", {}, "LL-CONF-024"),
        ("landing/array.json", {"user": "x"}, "LL-CONF-004"),
        ("jdbc:postgresql://db/x?password=${secret:not/set}", {}, "LL-CONF-008"),
    ],
)
def test_what_can_not_be_looked_at_is_a_coded_error_and_nothing_is_written(home, origin, options, code):
    (home / "landing").mkdir()
    if origin != "landing":
        (home / "landing/array.json").write_text("[\n1\n]\n")
        (home / "landing/twice.csv").write_text("a,A\n1,2\n")
        (home / "landing/cut.csv.gz").write_bytes(gzip.compress(csv().encode())[:60])
    with pytest.raises((ConfigError, SourceError)) as caught:
        onboard("shop", origin, home, options=options)
    assert caught.value.code == code, caught.value
    assert caught.value.fix
    assert not (home / "conf").exists()


def test_a_section_on_one_line_is_not_added_to_and_all_stays_as_it_was(home):
    (home / "conf/shop").mkdir(parents=True)
    (home / "conf/base.yml").write_text("project: shop\n")
    (home / "conf/shop/sources.yml").write_text("sources: {a: {kind: files, path: a.csv, format: csv}}\n")
    (home / "in.csv").write_text(csv())
    with pytest.raises(ConfigError, match="LL-CONF-023"):
        onboard("shop", "in.csv", home)
    assert [file.name for file in (home / "conf/shop").iterdir()] == ["sources.yml"]
    with pytest.raises(ConfigError, match="LL-CONF-014"):
        onboard("../shop", "in.csv", home)
    assert Path("conf/base.yml").read_text() == "project: shop\n"
