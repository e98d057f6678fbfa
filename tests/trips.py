"""A small project with a model for tests: trips, a feature view, a dataset, a tuned logistic regression."""

import random
from datetime import date, timedelta
from pathlib import Path

BASE = "project: trips\nseed: 3\n"
SOURCES = "sources:\n  trips: {kind: files, path: in/*.csv, format: csv}\n"
TABLES = """\
tables:
  silver.trips:
    from: {bronze.trips: new}
    sql: >-
      select try_cast(id as bigint) as id, line, try_cast(day as date) as day,
      try_cast(load as double) as load, try_cast(late as double) as late,
      try_cast(day as timestamp) as leaves_at, _position from bronze.trips
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    columns:
      id: bigint
      line: {type: string, available_at: leaves_at - interval 30 days}
      day: date
      load: {type: double, available_at: leaves_at - interval 1 day}
      late: double
      leaves_at: timestamp
"""
FEATURES = """\
features:
  lines:
    from: silver.trips
    where: late is not null
    keys: [line]
    event_time: leaves_at
    available_at: leaves_at + interval 6 hours
    windows: [3 days]
    columns: {late: [mean, count]}
"""
MODELS = """\
datasets:
  late_trips:
    description: Trips as known an hour before they leave.
    labels: {from: silver.trips, value: late >= 10, where: late is not null, keys: [id, day]}
    as_of: leaves_at - interval 1 hour
    features: [line, load, lines.*]
    split: {by: day, train: ..2026-02-15, valid: ..2026-03-01, test: ..2026-03-31}
models:
  trip_late:
    dataset: late_trips
    estimator: {kind: logistic}
    tune: {trials: 2, parallel: 2, seed: 1, space: {strength: {log: [0.01, 1.0]}}}
    baselines: [base_rate]
    groups: [line]
    scores: gold.trip_scores
"""


def lay_out(home: Path) -> Path:
    """Write the project and its trips under `home`; return the ``conf`` folder."""
    folder = home / "conf" / "trips"
    folder.mkdir(parents=True)
    (home / "conf" / "base.yml").write_text(BASE)
    for name, text in (("sources", SOURCES), ("tables", TABLES), ("features", FEATURES), ("models", MODELS)):
        (folder / f"{name}.yml").write_text(text)
    chance = random.Random(5)
    lines = ["id,line,day,load,late"]
    for number in range(900):
        day = date(2026, 1, 1) + timedelta(days=number // 10)
        line, load = chance.choice("abc"), chance.random()
        late = round(30 * load * (1 + (line == "c")) + chance.gauss(0, 6) - 6, 1)
        lines.append(f"{number},{line},{day},{load:.3f},{'NA' if number % 50 == 7 else late}")
    (home / "in").mkdir()
    (home / "in" / "trips.csv").write_text("\n".join(lines) + "\n")
    return home / "conf"
