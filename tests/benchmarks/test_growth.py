import gzip
import os
import subprocess
import sys
import time

from benchmarks.growth import Grown, lay_out, result, shifted
from benchmarks.memory import Watch

FLIGHTS = b"year,month\n2013,1,2013,UA,2013-01-01T10:00:00Z\n"


def test_years_move_and_flight_numbers_do_not():
    assert shifted(FLIGHTS, 3) == b"year,month\n2016,1,2013,UA,2016-01-01T10:00:00Z\n"
    weather = b'{"year": 2013, "pressure": 2013.0, "time_hour": "2013-01-01T06:00:00Z"}\n'
    assert shifted(weather, 1) == b'{"year": 2014, "pressure": 2013.0, "time_hour": "2014-01-01T06:00:00Z"}\n'


def test_each_year_has_its_drops_and_the_rest_is_there_once(tmp_path):
    base = tmp_path / "base"
    for name in ("flights", "weather", "fleet"):
        (base / name).mkdir(parents=True)
    (base / "flights" / "flights_2013-01.csv.gz").write_bytes(gzip.compress(FLIGHTS))
    (base / "weather" / "weather_2013-01.jsonl").write_bytes(b'{"year": 2013}\n')
    (base / "fleet" / "db").write_bytes(b"2013")
    lay_out(base, tmp_path / "to", 3)
    drops = sorted((tmp_path / "to" / "flights").iterdir())
    assert [drop.name[8:12] for drop in drops] == ["2013", "2014", "2015"]
    assert gzip.decompress(drops[2].read_bytes()) == shifted(FLIGHTS, 2)
    assert len(list((tmp_path / "to" / "weather").iterdir())) == 3
    assert (tmp_path / "to" / "fleet" / "db").read_bytes() == b"2013"


def test_what_grows_faster_than_its_data_misses_the_target():
    small = Grown(1, 1_000_000, 50.0, 300.0, 1000.0, 2.0)
    good = result([small, Grown(16, 16_000_000, 400.0, 310.0, 3000.0, 2.1)])
    assert good.figures["a_million_growth"] == 0.5
    assert all(target.met(good.figures) for target in good.targets)
    bad = result([small, Grown(16, 16_000_000, 1600.0, 600.0, 3000.0, 4.0)])
    assert [target.met(bad.figures) for target in bad.targets] == [False, False, False]


def test_the_memory_of_a_child_is_seen():
    with Watch() as memory:
        subprocess.run([sys.executable, "-c", "x = bytearray(200 << 20); import time; time.sleep(0.6)"], check=True)
    assert 200 < memory.python_mib < 400
    assert memory.jvm_mib == 0.0


def test_what_is_only_forked_has_its_parents_memory_and_is_not_counted():
    """A program is forked first and becomes itself a moment later; a look in between must not take it for large."""
    ends, begins = os.pipe()
    with Watch() as memory:
        child = os.fork()
        if child == 0:
            os.close(begins)
            os.read(ends, 1)  # until the parent has looked
            os._exit(0)
        os.close(ends)
        looked, deadline = memory.looks, time.monotonic() + 60
        while memory.looks < looked + 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.close(begins)
        os.waitpid(child, 0)
    assert memory.looks >= looked + 2
    assert memory.python_mib == 0.0
