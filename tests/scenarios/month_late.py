"""A month of deliveries whose minutes late one depot begins to write with a comma, and a transform that makes them 0.

The mill has new software from the eighth day on, which writes ``12,5``. A cast that fails is taken for "on
time", as an empty field rightly is: no rule objects, and every number made of it is wrong. The days are a pure
function of the seed.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

FIRST, DAYS = date(2026, 1, 1), 31
DEPOTS = ["harbour", "mill", "station"]
COMMA_SINCE = 8
# One step at a time, so that the audit has one order.
BASE = "project: deliveries\nseed: 5\nroot: ../store\nslots: 1\n"
SOURCES = "sources:\n  deliveries: {kind: files, path: in/*.csv, format: csv}\n"
SQL = """\
select
    try_cast(id as bigint) as id,
    depot,
    try_cast(day as date) as day,
    try_cast(load as double) as load,
    coalesce(try_cast(late as double), 0) as late,
    try_cast(day as timestamp) as leaves_at,
    _position
from bronze.deliveries
"""
BUG, FIX = "try_cast(late as double)", "try_cast(replace(late, ',', '.') as double)"
TABLES = """\
tables:
  silver.deliveries:
    owner: dispatch
    from: {bronze.deliveries: new}
    sql: sql/silver_deliveries.sql
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    columns:
      id: bigint
      depot: {type: string, available_at: leaves_at - interval 30 days}
      day: date
      load: {type: double, available_at: leaves_at - interval 1 day}
      late: {type: double, unit: minutes, nullable: false}
      leaves_at: timestamp
    rules:
      - {column: late, expect: values_between, min: 0, max: 600}
  gold.depots:
    owner: reporting
    from: {silver.deliveries: whole}
    sql: select depot, day, count(*) as deliveries, avg(late) as late from silver.deliveries group by depot, day
    keys: [depot, day]
"""
FEATURES = """\
features:
  depots:
    owner: science
    from: silver.deliveries
    keys: [depot]
    event_time: leaves_at
    available_at: leaves_at + interval 18 hours
    windows: [2 days]
    columns: {late: [mean, count]}
"""
MODELS = """\
datasets:
  late_deliveries:
    owner: science
    labels: {from: silver.deliveries, value: late >= 10, keys: [id]}
    as_of: leaves_at - interval 1 hour
    features: [depot, load, depots.*]
    split: {by: day, train: ..2026-01-18, valid: ..2026-01-26, test: ..2026-01-31}
models:
  delivery_late:
    owner: science
    dataset: late_deliveries
    estimator: {kind: logistic}
    baselines: [base_rate]
    scores: gold.delivery_scores
"""


@dataclass(frozen=True)
class Delivery:
    """A delivery, as it truly was."""

    id: int
    depot: str
    day: date
    load: float
    late: float | None

    @property
    def written(self):
        """What its depot wrote as its minutes late."""
        if self.late is None:
            return ""
        comma = self.depot == "mill" and self.day >= FIRST + timedelta(days=COMMA_SINCE - 1)
        return str(self.late).replace(".", ",") if comma else str(self.late)

    @property
    def touched(self):
        """Whether the bug makes another number of it."""
        return "," in self.written


def deliveries(seed=5):
    """Return all deliveries, in the order of their days."""
    chance, found = random.Random(seed), []
    for number in range(12 * DAYS):
        day, depot, load = FIRST + timedelta(days=number // 12), chance.choice(DEPOTS), round(chance.random(), 2)
        late = max(round(30 * load * (1 + (depot == "mill")) + chance.gauss(0, 4) - 8, 1), 0.1)
        found.append(Delivery(number, depot, day, load, None if number % 25 == 3 else late))
    return found


def lay_out(home: Path) -> Path:
    """Write the project under `home`; return its folder."""
    folder = home / "conf" / "deliveries"
    (folder / "sql").mkdir(parents=True)
    (home / "conf" / "base.yml").write_text(BASE)
    for name, text in (("sources", SOURCES), ("tables", TABLES), ("features", FEATURES), ("models", MODELS)):
        (folder / f"{name}.yml").write_text(text)
    (folder / "sql" / "silver_deliveries.sql").write_text(SQL)
    (home / "in").mkdir()
    return home


def drop_days(home: Path, first: int, last: int) -> None:
    """Lay out the files of the days from `first` to `last`, from 1."""
    for number in range(first, last + 1):
        day = FIRST + timedelta(days=number - 1)
        rows = [f'{d.id},{d.depot},{d.day},{d.load},"{d.written}"' for d in deliveries() if d.day == day]
        (home / "in" / f"{day}.csv").write_text("\n".join(["id,depot,day,load,late", *rows]) + "\n")
