"""A table of PostgreSQL that comes as Arrow: landed once, whatever breaks, and known again by the driver's way."""

import json
from dataclasses import replace

import pytest

import lakeloom
from lakeloom.session.settings import jars_home
from lakeloom.sources.jdbc import arrow, asked
from lakeloom.sources.landing import LeftToSparkError
from lakeloom.store.stage import Stage
from tests.scenarios.dying import Moment, dies

ROWS = 3_000


@pytest.fixture
def fleet(databases, table, tmp_path, monkeypatch, spark):
    """Give a project of one source, of so many rows, all of which may come as Arrow."""
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    monkeypatch.setattr(asked, "FROM_ROWS", 1)
    return Fleet(databases("postgresql"), table, tmp_path, monkeypatch)


class Fleet:
    def __init__(self, database, table, home, monkeypatch):
        self.database, self.table, self.home, self.taken = database, table, home, []
        self.patched = monkeypatch
        database.run(
            f"CREATE TABLE {table} (id bigint PRIMARY KEY, fare numeric(12,2), day date, at timestamptz, note text)",
            f"INSERT INTO {table} SELECT g, g * 1.25, date '2026-01-01' + g % 300, timestamptz '2026-01-01 00:00+00'"
            f" + g * interval '1 minute', CASE WHEN g % 7 > 0 THEN 'note ' || g END FROM generate_series(1, {ROWS}) g",
        )
        real = Stage.take

        def take(stage, written):
            self.taken.append(list(written))
            return real(stage, self.taken[-1])

        monkeypatch.setattr(Stage, "take", take)
        self.write()

    def write(self, **more):
        conf = self.home / "conf" / "fleet"
        conf.mkdir(parents=True, exist_ok=True)
        (self.home / "conf" / "base.yml").write_text("project: fleet\nretries: 0\n")
        said = self.database.config | {"table": self.table, "incremental": {"by": "id"}, "keys": ["id"],
                                       "partitions": {"column": "id", "number": 2}} | more  # fmt: skip
        (conf / "sources.yml").write_text(json.dumps({"sources": {"trips": {"kind": "jdbc"} | said}}))

    def run(self):
        (step,) = lakeloom.open(self.home / "conf" / "fleet").run("bronze.trips").steps
        return step

    def held(self):
        rows = lakeloom.open(self.home / "conf" / "fleet").sql(
            "SELECT id, fare, day, at, note, _position.record AS mark FROM bronze.trips ORDER BY id"
        )
        return rows.to_pylist()


def test_it_lands_in_one_commit_and_the_drivers_way_goes_on_from_it(fleet):
    step = fleet.run()
    assert (step.status, step.rows_out, len(fleet.taken)) == ("done", ROWS, 1), step.error
    assert len(fleet.taken[0]) == 2
    rows = fleet.held()
    assert [row["id"] for row in rows] == list(range(1, ROWS + 1))
    assert (str(rows[4]["fare"]), str(rows[4]["day"]), rows[6]["note"]) == ("6.25", "2026-01-06", None)
    assert fleet.run().status == "skipped"
    fleet.database.run(f"INSERT INTO {fleet.table} VALUES ({ROWS + 1}, 1, '2026-01-01', NULL, 'later')")
    assert fleet.run().rows_out == 1
    assert len(fleet.taken) == 1
    # A whole comparison by the driver finds every row, by its mark.
    fleet.write(incremental=None, by="jdbc")
    fleet.database.run(f"UPDATE {fleet.table} SET note = 'changed' WHERE id = 5")
    step = fleet.run()
    assert (step.status, step.rows_out) == ("done", 1), step.error


def test_marks_and_values_are_those_that_the_driver_brings(fleet, tmp_path_factory, monkeypatch):
    fleet.run()
    by_arrow = fleet.held()
    fleet.home = tmp_path_factory.mktemp("other")
    fleet.write(by="jdbc")
    assert fleet.run().rows_out == ROWS and len(fleet.taken) == 1
    assert fleet.held() == by_arrow


def test_a_line_that_breaks_loses_and_doubles_nothing(fleet, spoilt_lines):
    name, port = f"arrow-{fleet.table}", int(fleet.database.url.rpartition(":")[2].partition("/")[0])
    near = spoilt_lines.lay(name, port)
    fleet.write(url=fleet.database.url.replace(f":{port}/", f":{near}/"))
    spoilt_lines.spoil(name, "limit_data", bytes=30_000)
    step = fleet.run()
    assert (step.status, step.error["code"]) == ("failed", "LL-SOURCE-001")
    assert not list((fleet.home / ".lakeloom" / "tables" / "bronze").rglob("part-*.snappy.parquet"))
    spoilt_lines.mend(name)
    assert fleet.run().rows_out == ROWS
    assert [row["id"] for row in fleet.held()] == list(range(1, ROWS + 1))


def test_a_database_that_falls_silent_is_given_up(fleet, spoilt_lines):
    name, port = f"silent-{fleet.table}", int(fleet.database.url.rpartition(":")[2].partition("/")[0])
    near = spoilt_lines.lay(name, port)
    fleet.write(url=fleet.database.url.replace(f":{port}/", f":{near}/"), timeout="100 seconds")
    part = []
    fleet.patched.setattr(asked, "Part", lambda *words: part.append(arrow.Part(*words)) or part[-1])
    assert fleet.run().status == "done"
    assert part[0].silence_s == 100
    spoilt_lines.spoil(name, "timeout", timeout=0)
    with pytest.raises(LeftToSparkError, match="silent for 2 seconds"):
        list(replace(part[0], silence_s=2).tables())
    spoilt_lines.mend(name)


def test_a_value_that_only_the_driver_knows_takes_the_whole_table_to_it(fleet):
    fleet.database.run(f"INSERT INTO {fleet.table} VALUES (0, 'NaN', '2026-01-01', NULL, 'odd')")
    step = fleet.run()
    # Nor does the driver know it: the value is told, and no row lands without it.
    assert (step.status, step.error["code"], any(fleet.taken)) == ("failed", "LL-SOURCE-004", False), step.error
    fleet.database.run(f"UPDATE {fleet.table} SET fare = 0, day = 'infinity' WHERE id = 0")
    step = fleet.run()
    assert (step.status, step.rows_out) == ("done", ROWS + 1), step.error


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_its_commit_it_lands_once(fleet, when):
    (jar,) = (jars_home() / "test").glob("postgresql*.jar")
    base = fleet.home / "conf" / "base.yml"
    base.write_text(base.read_text() + f"spark: {{spark.jars: {jar}}}\n")
    at = Moment(when, "lakeloom.store.stage:Stage.commit")
    constants = {"lakeloom.sources.jdbc.asked:FROM_ROWS": 1}
    dies(fleet.home / "conf", at, "run", "bronze.trips", constants=constants)
    fleet.run()
    fleet.run()
    assert [row["id"] for row in fleet.held()] == list(range(1, ROWS + 1))
