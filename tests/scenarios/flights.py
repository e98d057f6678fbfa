"""The flights project over a sample month whose drops are partly broken, with a small dataset and model."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
MODELS = """\
datasets:
  late:
    labels:
      from: gold.flight_plan
      value: arr_delay >= 30
      where: arr_delay is not null
      keys: [flight_date, carrier, flight, origin]
    as_of: sched_dep - interval 2 hours
    features:
      - carrier
      - origin
      - sched_dep_minute
      - weather.*
      - {view: origin_arrivals, columns: [arr_delay_mean_2h, late_share_24h]}
      - {view: leg_arrival, on: {leg: previous_leg}, prefix: previous}
    split: {by: flight_date, train: ..2013-01-15, valid: ..2013-01-20, test: ..2013-01-31}
"""


class Flights:
    """The project as users have it: a configuration, a landing folder, and the command line in a process."""

    def __init__(self, conf: Path, landing: Path) -> None:
        self.conf, self.landing = conf, landing

    def start(self, root: Path, *selected: str, **options) -> subprocess.Popen:
        """Start `lakeloom run` in a process group of its own."""
        command = [sys.executable, "-m", "lakeloom.cli", "run", *selected, "--conf", str(self.conf), "--json"]
        environment = os.environ | {
            "LAKELOOM_HOME": str(root),
            "LAKELOOM_LANDING": str(self.landing),
            "PYTHONPATH": str(HOME / "lib"),
        }
        return subprocess.Popen(command, env=environment, start_new_session=True, text=True, **options)

    def finish(self, root: Path, *selected: str) -> dict:
        """Run to the end and return its document; it must end well."""
        process = self.start(root, *selected, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said, complained = process.communicate(timeout=600)
        assert process.returncode == 0, complained[-3000:] + said[-3000:]
        return json.loads(said)


def lay_out(home: Path) -> Flights:
    """Lay the project out under `home`: January as it was, and beside it what no reader or rule accepts."""
    shutil.copytree(HOME / "conf", home / "conf")
    (home / "conf" / "flights" / "models.yml").write_text(MODELS)
    landing = home / "landing"
    laid_out = [sys.executable, str(HOME / "conf" / "flights" / "landing.py"), "--months", "1", "--to", str(landing)]
    subprocess.run(laid_out, check=True, timeout=120, capture_output=True)
    whole = (landing / "flights" / "flights_2013-01.csv.gz").read_bytes()
    (landing / "flights" / "flights_2012-12.csv.gz").write_bytes(whole[: len(whole) // 50])
    weather = landing / "weather" / "weather_2013-01.jsonl"
    windy = json.loads(weather.read_text().splitlines()[100]) | {"wind_speed": 999.0}
    weather.write_text(weather.read_text() + json.dumps(windy) + "\n" + '{"origin": "EWR", "year": \n')
    early = landing / "flights" / "flights_2013-00.csv.gz"
    early.write_bytes(gzip.compress(gzip.decompress(whole).splitlines(keepends=True)[0], mtime=0))  # a header alone
    return Flights(home / "conf", landing)
