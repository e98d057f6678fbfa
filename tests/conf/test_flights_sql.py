"""The demo's SQL: times in UTC over zones, midnight and daylight saving; counts over the whole year."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lakeloom.config.load import read

CONF = Path(__file__).resolve().parents[2] / "conf"
FLIGHT = {
    "year": "2013", "month": "1", "day": "1", "dep_time": "NA", "sched_dep_time": "0900", "dep_delay": "NA",
    "arr_time": "NA", "sched_arr_time": "1000", "arr_delay": "NA", "carrier": "UA", "flight": "1", "tailnum": "N1",
    "origin": "JFK", "dest": "BOS", "air_time": "NA", "distance": "500", "hour": "9", "minute": "0", "time_hour": "NA",
}  # fmt: skip
ZONES = [
    ("JFK", "America/New_York"), ("EWR", "America/New_York"), ("BOS", "America/New_York"), ("ORD", "America/Chicago"),
    ("PHX", "America/Phoenix"), ("LAX", "America/Los_Angeles"), ("HNL", "Pacific/Honolulu"), ("XXX", None),
]  # fmt: skip
TABLES = ("silver.airports", "silver.airlines", "silver.planes", "silver.weather", "silver.flights",
          "gold.route_delays", "gold.airport_hours", "gold.flight_plan")  # fmt: skip


def sql_of(table):
    """The SQL of `table`, with the names of tables as names of temporary views."""
    text = (CONF / "flights" / "sql" / f"{table.replace('.', '_')}.sql").read_text()
    return re.sub(r"\b(bronze|silver|gold)\.(\w+)", r"\1__\2", text)


def positioned(frame):
    from pyspark.sql import functions as F

    zero = F.lit(0)
    return frame.withColumn(
        "_position",
        F.struct(
            zero.cast("bigint").alias("epoch"), zero.alias("file"), F.monotonically_increasing_id().alias("record")
        ),
    )


def schedules(spark, flights):
    rows = [FLIGHT | {"flight": str(number)} | clocks for number, clocks in enumerate(flights)]
    session = spark.newSession()
    columns = ", ".join(f"{name} string" for name in FLIGHT)
    frame = session.createDataFrame([tuple(row.values()) for row in rows], columns)
    positioned(frame.coalesce(1)).createOrReplaceTempView("bronze__flights")
    session.createDataFrame(ZONES, "airport string, zone string").createOrReplaceTempView("silver__airports")
    return [row.asDict() for row in session.sql(sql_of("silver.flights")).orderBy("_position").collect()]


CLOCKS = [
    # month, day, destination, clock of departure, clock of arrival, both in UTC (day, hour, minute)
    (1, 1, "BOS", 515, 819, (1, 10, 15), (1, 13, 19)),
    (7, 1, "BOS", 515, 819, (1, 9, 15), (1, 12, 19)),  # summer time
    (7, 1, "PHX", 800, 1000, (1, 12, 0), (1, 17, 0)),  # Phoenix keeps its clock all year
    (1, 1, "HNL", 1000, 1530, (1, 15, 0), (2, 1, 30)),
    (1, 1, "BOS", 2359, 110, (2, 4, 59), (2, 6, 10)),  # after midnight
    (1, 1, "BOS", 2200, 2400, (2, 3, 0), (2, 5, 0)),  # at the midnight that ends the day
    (1, 1, "BOS", 2400, 100, (2, 5, 0), (2, 6, 0)),
    (1, 1, "LAX", 30, 330, (1, 5, 30), (1, 11, 30)),  # westwards: still the day before over there
    (1, 1, "ORD", 5, 2359, (1, 5, 5), (1, 5, 59)),
    (3, 10, "BOS", 100, 300, (10, 6, 0), (10, 7, 0)),  # the night with 23 hours
    (3, 9, "BOS", 2359, 340, (10, 4, 59), (10, 7, 40)),
    (3, 10, "LAX", 600, 910, (10, 10, 0), (10, 16, 10)),
    (11, 3, "BOS", 30, 230, (3, 4, 30), (3, 7, 30)),  # the night with 25
    (11, 2, "BOS", 2330, 530, (3, 3, 30), (3, 10, 30)),
    (1, 1, "SJU", 800, 1250, (1, 13, 0), (1, 16, 50)),  # not in the airports' register
    (7, 1, "STT", 800, 1150, (1, 12, 0), (1, 15, 50)),
]


def test_clocks_become_utc(spark):
    names = ("month", "day", "dest", "sched_dep_time", "sched_arr_time")
    rows = schedules(spark, [dict(zip(names, map(str, case), strict=False)) for case in CLOCKS])
    for case, row in zip(CLOCKS, rows, strict=True):
        departs, arrives = (datetime(2013, case[0], *instant) for instant in case[5:])
        assert (row["sched_dep"], row["sched_arr"]) == (departs, arrives), case


def test_what_happened_is_schedule_plus_delay(spark):
    arrived, cancelled, diverted, hopeless, unreadable = schedules(
        spark,
        [
            {"sched_dep_time": "2345", "dep_time": "2400", "dep_delay": "15"}
            | {"sched_arr_time": "50", "arr_time": "45", "arr_delay": "-5"},
            {"sched_dep_time": "900"},
            {"sched_dep_time": "900", "dep_time": "905", "dep_delay": "5", "arr_time": "1700"},
            {"dest": "XXX"},
            {"sched_dep_time": "soon", "day": "31", "month": "2"},
        ],
    )
    assert arrived["departed_at"] == datetime(2013, 1, 2, 5)
    assert arrived["arrived_at"] == arrived["outcome_known_at"] == datetime(2013, 1, 2, 5, 45)
    assert (arrived["cancelled"], arrived["diverted"]) == (False, False)
    assert (arrived["dep_clock_gap"], arrived["arr_clock_gap"]) == (0, 0)
    assert (cancelled["cancelled"], cancelled["departed_at"], cancelled["arr_delay"]) == (True, None, None)
    assert cancelled["outcome_known_at"] == cancelled["sched_dep"] + timedelta(hours=3)
    assert (diverted["cancelled"], diverted["diverted"], diverted["arrived_at"]) == (False, True, None)
    assert hopeless["dest_zone"] is None
    assert hopeless["sched_arr"] is None
    assert unreadable["sched_dep"] is None
    assert unreadable["flight_date"] is None


@pytest.fixture(scope="module")
def year(spark, generated, laid, tmp_path_factory):
    """The session in which every table of the demo is a view over the year, written to Parquet."""
    session, home = spark.newSession(), tmp_path_factory.mktemp("year")
    raw = {
        "flights": session.read.option("header", True).csv(str(laid / "flights")),
        "weather": session.read.json(str(laid / "weather")),
        "airports": session.read.parquet(str(laid / "airports")),
        "airlines": session.read.option("rowTag", "airline").format("xml").load(str(laid / "airlines")),
        "planes": session.read.jdbc(f"jdbc:derby:{laid / 'fleet'}", "PLANES"),
    }
    for name, frame in raw.items():
        positioned(frame).createOrReplaceTempView(f"bronze__{name}")
    for table in TABLES:
        view = table.replace(".", "__")
        session.sql(sql_of(table)).write.parquet(str(home / view))
        session.read.parquet(str(home / view)).createOrReplaceTempView(view)
    return session


def test_every_table_is_what_its_contract_says(year):
    tables = read(CONF).document.data["tables"]
    assert set(tables) == set(TABLES)
    for table, spec in tables.items():
        given = {field.name: field.dataType.simpleString() for field in year.table(table.replace(".", "__")).schema}
        position = given.pop("_position", None)
        assert given == {name: column["type"] for name, column in spec["columns"].items()}, table
        assert (position is not None) == (spec["write"]["mode"] == "merge"), table
        missing = [name for name in spec["columns"] if not spec["columns"][name].get("description")]
        assert not missing, table


def test_keys_are_unique_and_nothing_is_lost(year):
    tables = read(CONF).document.data["tables"]
    rows = {}
    for table in TABLES:
        keys = ", ".join(tables[table]["keys"])
        counted = year.sql(f"SELECT count(*), count(DISTINCT {keys}) FROM {table.replace('.', '__')}").first()
        assert counted[0] == counted[1], table
        rows[table] = counted[0]
    assert rows == {
        "silver.airports": 1_458, "silver.airlines": 16, "silver.planes": 3_322, "silver.weather": 26_115,
        "silver.flights": 336_776, "gold.route_delays": 103_075, "gold.airport_hours": 19_486,
        "gold.flight_plan": 336_776,
    }  # fmt: skip


def test_the_year_of_flights_agrees_with_itself(year):
    found = year.sql("""
        SELECT
          count_if(cancelled) AS cancelled, count_if(diverted) AS diverted, count(arrived_at) AS arrived,
          count_if(dep_clock_gap <> 0 OR arr_clock_gap <> 0) AS clocks,
          count_if(time_hour <> date_trunc('HOUR', sched_dep)) AS hours,
          count_if(sched_arr IS NULL OR sched_dep IS NULL) AS timeless,
          min(sched_arr - sched_dep) AS shortest, max(sched_arr - sched_dep) AS longest,
          min(unix_seconds(arrived_at) - unix_seconds(departed_at) - air_time * 60) / 60 AS least_ground,
          max(unix_seconds(arrived_at) - unix_seconds(departed_at) - air_time * 60) / 60 AS most_ground,
          count_if(tailnum IS NULL AND NOT cancelled) AS nameless,
          count_if(dest IN ('SJU', 'BQN', 'STT', 'PSE')) AS caribbean
        FROM silver__flights""")
    assert found.first().asDict() == {
        "cancelled": 8_255, "diverted": 1_175, "arrived": 327_346, "clocks": 0, "hours": 0, "timeless": 0,
        "shortest": timedelta(minutes=50), "longest": timedelta(minutes=700), "least_ground": 5.0, "most_ground": 235.0,
        "nameless": 0, "caribbean": 7_602,
    }  # fmt: skip


def test_the_hour_that_comes_twice_is_two_observations(year):
    hours = year.sql("""
        SELECT count(*), count(DISTINCT observed_at) FROM silver__weather
        WHERE origin = 'JFK' AND local_hour = 1
          AND date(from_utc_timestamp(observed_at, 'America/New_York')) = '2013-11-03'
    """).first()
    assert tuple(hours) == (2, 2)


def test_rules_find_what_is_wrong_in_the_data(year):
    """The rows that each rule of the demo breaks, counted in plain SQL beside the rules."""

    def count(table, where):
        return year.sql(f"SELECT count(*) FROM {table} WHERE {where}").first()[0]

    assert count("silver__weather", "wind_speed > 150") == 1
    assert count("silver__weather", "month(observed_at) BETWEEN 5 AND 9 AND temp <= 32") == 1
    assert count("silver__airports", "zone IS NULL") == 3
    assert count("silver__airports", "zone LIKE 'Asia/%'") == 2
    assert count("silver__airports", "latitude > 72") == 1
    assert count("silver__planes", "seats < 20") == 40
    assert count("silver__planes", "engine NOT IN ('Turbo-fan', 'Turbo-jet', 'Turbo-prop')") == 35
    assert count("silver__flights", "NOT tailnum RLIKE '^N[0-9A-Z]{1,5}$'") == 4
    assert count("silver__flights", "distance < 50") == 1


def test_the_plan_counts_what_is_scheduled_around_a_flight(year):
    wrong = year.sql("""
        WITH around AS (
          SELECT f.leg, f.origin_before, f.origin_around,
            (unix_seconds(g.sched_dep) - unix_seconds(f.sched_dep)) div 60 AS apart
          FROM gold__flight_plan AS f JOIN silver__flights AS g
            ON g.origin = f.origin AND g.flight_date BETWEEN '2013-05-01' AND '2013-05-03'
          WHERE f.flight_date = '2013-05-02')
        SELECT leg FROM around
        GROUP BY leg, origin_before, origin_around
        HAVING count_if(apart BETWEEN -180 AND 0) <> origin_before OR count_if(abs(apart) <= 30) <> origin_around
    """)
    assert wrong.count() == 0


def test_the_plan_follows_the_aircraft(year):
    wrong = year.sql("""
        SELECT f.leg FROM gold__flight_plan f JOIN gold__flight_plan p ON p.leg = f.previous_leg
        WHERE p.tailnum <> f.tailnum OR unix_seconds(f.sched_dep) - unix_seconds(p.sched_dep) <> f.previous_gap * 60
          OR f.turnaround <> f.previous_gap - 2 * p.sched_minutes OR f.previous_gap NOT BETWEEN 0 AND 1440
    """).count()
    assert wrong == 0
    assert year.sql("SELECT count(previous_leg) FROM gold__flight_plan WHERE tailnum IS NULL").first()[0] == 0


def test_the_plan_does_not_see_what_happened(year):
    """Blank every outcome, and nothing of the plan moves."""
    outcomes = ("departed_at", "arrived_at", "dep_delay", "arr_delay", "air_time", "cancelled", "diverted")
    outcomes += ("outcome_known_at", "dep_clock_gap", "arr_clock_gap")
    week = year.table("silver__flights").where("flight_date BETWEEN '2013-02-01' AND '2013-02-07'")
    blank = [f"cast(null AS {kind}) AS {name}" if name in outcomes else name for name, kind in week.dtypes]
    plans = []
    for frame, view in ((week, "week"), (week.selectExpr(*blank), "week_blank")):
        frame.createOrReplaceTempView(view)
        plans.append(year.sql(sql_of("gold.flight_plan").replace("silver__flights", view)).drop(*outcomes))
    assert plans[0].count() == plans[1].count() > 0
    assert plans[0].exceptAll(plans[1]).count() == 0
