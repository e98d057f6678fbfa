"""Lays nycflights13 out the way a company would have it: drops, a database, reference files.

    landing/flights/flights_2013-01.csv.gz   one drop a month, rows in their original order
    landing/weather/weather_2013-01.jsonl    one file a month, one line an airport and hour
    landing/airports/airports.parquet        reference data, typed
    landing/airlines/airlines.xml            reference data, one element an airline
    landing/fleet/                           embedded Derby database with the table PLANES

The platform knows nothing of where these come from. Values are the distribution's own: the drops
keep their 'NA', the typed formats leave the value out. The same input gives the same bytes, except
for Derby's own files. Nothing is downloaded, and nycflights13 is never imported (importing it
needs pkg_resources): its files are read where the distribution lays them. Refuses to run without
the distribution, without Spark's Derby jars, and without a JDK, in one line each.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

DISTRIBUTION = "nycflights13"
CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = ("flights", "weather", "airports", "airlines", "planes")
STAMP = ".laid.json"
DERBY = "org.apache.derby.tools.ij"
PLANES = """
CREATE TABLE PLANES (
  TAILNUM VARCHAR(10) NOT NULL PRIMARY KEY, "YEAR" INTEGER, TYPE VARCHAR(40), MANUFACTURER VARCHAR(60),
  MODEL VARCHAR(40), ENGINES INTEGER, SEATS INTEGER, SPEED INTEGER, ENGINE VARCHAR(20),
  UPDATED_AT TIMESTAMP NOT NULL);
"""


class LandingError(Exception):
    """The data cannot be laid out: what is missing, and how to get it."""


def shipped(name: str) -> Path:
    """Return the path of the distribution's file called `name`."""
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        raise LandingError(f"{DISTRIBUTION} is not installed: run 'make setup'") from None
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise LandingError(f"{DISTRIBUTION} does not hold {name}: install version 0.0.3")


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of the CSV file `name`, all values as text."""
    with shipped(name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def flight_lines() -> Iterator[bytes]:
    """Yield the lines of flights.csv as they are, the header first."""
    with zipfile.ZipFile(shipped("flights.csv.zip")) as archive, archive.open("flights.csv") as file:
        yield from io.BufferedReader(file)  # type: ignore[type-var]


def known(row: dict[str, str]) -> dict[str, str | None]:
    """Return `row` with None for each 'NA'."""
    return {name: None if value == "NA" else value for name, value in row.items()}


def deliver(to: Path, drops: dict[str, bytes]) -> None:
    """Make `drops` the files of the folder `to`; one that lies there with the same bytes is left alone."""
    to.mkdir(parents=True, exist_ok=True)
    for old in to.iterdir():
        if old.name not in drops:
            old.unlink()
    for name, content in drops.items():
        file = to / name
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)


def lay_flights(to: Path, months: int) -> int:
    """Write one gzipped CSV a month; returns the number of rows."""
    lines = flight_lines()
    header = next(lines)
    by_month: dict[int, list[bytes]] = {month: [] for month in range(1, months + 1)}
    for line in lines:
        month = int(line.split(b",", 2)[1])
        if month in by_month:
            by_month[month].append(line)
    drops = {
        f"flights_2013-{month:02}.csv.gz": gzip.compress(header + b"".join(drop), compresslevel=6, mtime=0)
        for month, drop in by_month.items()
    }
    deliver(to, drops)
    return sum(map(len, by_month.values()))


def observation(row: dict[str, str]) -> dict[str, str | int | float]:
    """Return one weather row as JSON has it: numbers as numbers, an unknown value left out."""
    whole = ("year", "month", "day", "hour")
    out: dict[str, str | int | float] = {}
    for name, value in known(row).items():
        if value is not None:
            out[name] = int(value) if name in whole else value if name in ("origin", "time_hour") else float(value)
    return out


def lay_weather(to: Path, months: int) -> int:
    """Write one JSON-lines file a month, in the order of the hours; returns the number of rows."""
    drops: dict[str, bytes] = {}
    ordered = sorted(rows("weather.csv"), key=lambda row: (row["time_hour"], row["origin"]))
    for month in range(1, months + 1):
        drop = [json.dumps(observation(row)) + "\n" for row in ordered if int(row["month"]) == month]
        drops[f"weather_2013-{month:02}.jsonl"] = "".join(drop).encode()
    deliver(to, drops)
    return sum(drop.count(b"\n") for drop in drops.values())


def lay_airports(to: Path, months: int) -> int:
    """Write the airports as one Parquet file; returns the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    to.mkdir(parents=True, exist_ok=True)
    airports = [known(row) for row in rows("airports.csv")]
    kinds = {
        "lat": (float, pa.float64()),
        "lon": (float, pa.float64()),
        "alt": (int, pa.int32()),
        "tz": (int, pa.int32()),
    }
    columns = {}
    for name in airports[0]:
        cast, kind = kinds.get(name, (str, pa.string()))
        columns[name] = pa.array([None if row[name] is None else cast(row[name]) for row in airports], kind)
    pq.write_table(pa.table(columns), to / "airports.parquet")
    return len(airports)


def lay_airlines(to: Path, months: int) -> int:
    """Write the airlines as one XML file; returns the number of rows."""
    airlines = rows("airlines.csv")
    lines = [
        f"  <airline><carrier>{escape(row['carrier'])}</carrier><name>{escape(row['name'])}</name></airline>\n"
        for row in airlines
    ]
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<airlines>\n' + "".join(lines) + "</airlines>\n"
    deliver(to, {"airlines.xml": text.encode()})
    return len(airlines)


def first_flights(months: int) -> dict[str, date]:
    """Return the day of each aircraft's first flight of 2013, up to the end of month `months`."""
    lines = flight_lines()
    header = next(lines).decode().strip().split(",")
    at = [header.index(name) for name in ("month", "day", "tailnum")]
    first: dict[str, date] = {}
    for line in lines:
        fields = line.split(b",")
        month, day = int(fields[at[0]]), int(fields[at[1]])
        tail = fields[at[2]].decode()
        seen = date(2013, month, day)
        if month <= months and seen < first.get(tail, date.max):
            first[tail] = seen
    return first


def fleet(months: int) -> list[list[str]]:
    """Return PLANES: the aircraft seen so far, each entered at 06:00 on the day before its first flight.

    The distribution says nothing of when a record was entered. So an aircraft is in the register
    before it is needed, and a later month brings new records with a later UPDATED_AT.
    """
    first = first_flights(months)
    table = []
    for plane in rows("planes.csv"):
        seen = first.get(plane["tailnum"])
        if seen is not None:
            entered = f"{seen - timedelta(days=1)} 06:00:00"
            table.append([*("" if value is None else value for value in known(plane).values()), entered])
    return table


def java() -> str:
    """Return the path of the JDK's java."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(str(Path(home, "bin", "java"))) if home else shutil.which("java")
    if found is None:
        raise LandingError("no java: install a JDK 17 (Debian: openjdk-17-jdk-headless) or set JAVA_HOME")
    return found


def derby_jars() -> str:
    """Return the class path of the Derby that comes with Spark."""
    spec = importlib.util.find_spec("pyspark")
    where = spec.submodule_search_locations if spec else None
    jars = sorted(Path(where[0], "jars").glob("derby*.jar")) if where else []
    if not jars:
        raise LandingError("Spark's Derby jars are missing: run 'make setup'")
    return os.pathsep.join(map(str, jars))


def lay_planes(to: Path, months: int) -> int:
    """Create the Derby database `to` with the table PLANES; returns the number of rows."""
    planes = fleet(months)
    shutil.rmtree(to, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        data, script = Path(scratch, "planes.csv"), Path(scratch, "planes.sql")
        with data.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(planes)
        script.write_text(
            f"CONNECT 'jdbc:derby:{quoted(to)};create=true';\n{PLANES}"
            f"CALL SYSCS_UTIL.SYSCS_IMPORT_DATA(NULL, 'PLANES', NULL, NULL, '{quoted(data)}', NULL, NULL,"
            " 'UTF-8', 0);\n"
            f"DISCONNECT;\nCONNECT 'jdbc:derby:{quoted(to)};shutdown=true';\n",
            encoding="utf-8",
        )
        command = [java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", f"-Dderby.stream.error.file={os.devnull}"]
        done = subprocess.run(
            [*command, "-cp", derby_jars(), DERBY, str(script)],
            capture_output=True,
            text=True,
            check=False,
            cwd=scratch,
        )
    # Derby reports a clean shutdown of one database as the error 08006; anything else is one.
    errors = [line for line in done.stdout.splitlines() if line.startswith("ERROR") and "08006" not in line]
    if done.returncode or errors:
        raise LandingError(f"Derby did not take PLANES: {(errors or [done.stderr.strip()])[0]}")
    return len(planes)


def quoted(path: Path) -> str:
    """Return `path` as it stands inside an SQL string."""
    return str(path).replace("'", "''")


LAY = {
    "flights": lay_flights,
    "weather": lay_weather,
    "airports": lay_airports,
    "airlines": lay_airlines,
    "planes": lay_planes,
}
FOLDERS = {part: "fleet" if part == "planes" else part for part in PARTS}


def recipe(part: str, months: int) -> str:
    """Return what `part` is made by: this script, the distribution's version and the months that matter to it."""
    version = importlib.metadata.version(DISTRIBUTION)
    span = months if part in ("flights", "weather", "planes") else 0
    return hashlib.sha256(f"{Path(__file__).read_text()}{version}{span}".encode()).hexdigest()[:16]


def lay(to: Path, months: int = 12, only: tuple[str, ...] = PARTS) -> dict[str, int | None]:
    """Lay `only` out under `to`, each part that is not there yet as it should be.

    Parameters
    ----------
    to : Path
        The landing folder; made where it is missing.
    months : int
        January to this month of 2013, 1 to 12.
    only : tuple of str
        Some of flights, weather, airports, airlines, planes.

    Returns
    -------
    dict
        Part → rows laid, None where it lay there already.

    Raises
    ------
    LandingError
        Where the distribution, the Derby jars or java are missing, or Derby refuses.
    """
    shipped("planes.csv")
    to.mkdir(parents=True, exist_ok=True)
    stamp = to / STAMP
    laid: dict[str, str] = json.loads(stamp.read_text()) if stamp.exists() else {}
    done: dict[str, int | None] = {}
    for part in only:
        folder, wanted = to / FOLDERS[part], recipe(part, months)
        if laid.get(part) == wanted and folder.exists():
            done[part] = None
            continue
        laid.pop(part, None)
        stamp.write_text(json.dumps(laid))
        done[part] = LAY[part](folder, months)
        laid[part] = wanted
        stamp.write_text(json.dumps(laid, sort_keys=True, indent=1))
    return done


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and lay the data out; 0 when it lies there, 1 with one line of why not."""
    parser = argparse.ArgumentParser(description="lay the demo's data out in the landing folder")
    parser.add_argument("--to", type=Path, default=CHECKOUT / "landing", help="the landing folder")
    parser.add_argument("--months", type=int, choices=range(1, 13), default=12, help="January to this month")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts alone")
    chosen = parser.parse_args(arguments)
    try:
        done = lay(chosen.to.resolve(), chosen.months, tuple(chosen.only))
    except LandingError as error:
        print(error, file=sys.stderr)
        return 1
    for part, count in done.items():
        print(f"{part}: {'there already' if count is None else f'{count:,} rows'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
