"""The landing script: what it lays out, that it says so twice the same, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile

import pyarrow.parquet as pq
import pytest


def test_the_drops_hold_every_line_of_the_source_in_order(landing, laid):
    files = sorted((laid / "flights").iterdir())
    assert [file.name for file in files] == [f"flights_2013-{month:02}.csv.gz" for month in range(1, 13)]
    with zipfile.ZipFile(landing.shipped("flights.csv.zip")) as archive:
        header, *lines = archive.read("flights.csv").splitlines(keepends=True)
    by_month = {month: [line for line in lines if line.split(b",")[1] == b"%d" % month] for month in (1, 2)}
    for month, file in zip((1, 2), files, strict=False):
        assert gzip.decompress(file.read_bytes()) == header + b"".join(by_month[month])
    assert sum(gzip.decompress(file.read_bytes()).count(b"\n") - 1 for file in files) == 336_776


def test_weather_leaves_out_what_is_unknown(landing, laid):
    rows = [json.loads(line) for file in sorted((laid / "weather").iterdir()) for line in file.open()]
    assert len(rows) == 26_115
    raw = {(row["origin"], row["time_hour"]): row for row in landing.rows("weather.csv")}
    for row in rows:
        for name, text in raw[row["origin"], row["time_hour"]].items():
            if text == "NA":
                assert name not in row
            else:
                assert row[name] == (text if name in ("origin", "time_hour") else float(text))


def test_airports_and_airlines_come_typed_and_whole(laid):
    airports = pq.read_table(laid / "airports" / "airports.parquet")
    assert airports.num_rows == 1_458
    assert airports.column("tzone").null_count == 3
    assert (laid / "airlines" / "airlines.xml").read_text().count("<airline>") == 16


def test_the_fleet_enters_each_aircraft_before_its_first_flight(landing):
    january, year = landing.fleet(1), landing.fleet(12)
    assert (len(january), len(year)) == (2_609, 3_322)
    later = {row[0]: row for row in year}
    assert all(later[row[0]] == row for row in january), "a later month must not change a record"
    assert min(row[-1] for row in year) == "2012-12-31 06:00:00"


def test_laying_twice_writes_nothing_and_a_new_month_only_its_drop(landing, tmp_path):
    only = ("flights", "weather")
    landing.lay(tmp_path, 1, only)
    first = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*2013*")}
    assert landing.lay(tmp_path, 1, only) == {"flights": None, "weather": None}
    landing.lay(tmp_path, 2, only)
    second = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*2013*")}
    assert len(second) == len(first) + 2
    assert all(second[file] == when for file, when in first.items())


def test_the_same_input_gives_the_same_bytes(landing, laid, tmp_path):
    landing.lay(tmp_path, 1, ("flights", "weather", "airports", "airlines"))
    for file in tmp_path.rglob("*.*"):
        if file.is_file() and file.name != landing.STAMP:
            assert file.read_bytes() == (laid / file.relative_to(tmp_path)).read_bytes()


def test_a_part_cut_short_is_laid_again(landing, tmp_path, monkeypatch):
    def broken(to, months):
        to.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setitem(landing.LAY, "airlines", broken)
    with pytest.raises(KeyboardInterrupt):
        landing.lay(tmp_path, 1, ("airlines",))
    monkeypatch.setitem(landing.LAY, "airlines", landing.lay_airlines)
    assert landing.lay(tmp_path, 1, ("airlines",)) == {"airlines": 16}


def test_a_missing_jdk_is_one_line(landing, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))
    assert landing.main(["--to", str(tmp_path), "--only", "planes", "--months", "1"]) == 1
    said = capsys.readouterr().err
    assert "JDK 17" in said
    assert said.count("\n") == 1


def test_a_missing_distribution_is_one_line(landing, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(landing, "DISTRIBUTION", "no-such-distribution")
    assert landing.main(["--to", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "no-such-distribution is not installed: run 'make setup'\n"


def test_the_source_is_never_parsed_into_something_else(landing):
    header = next(landing.flight_lines()).decode()
    assert len(next(csv.reader(io.StringIO(header)))) == 19
