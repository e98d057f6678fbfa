"""A project that runs at once: config, SQL, tests and a small landing file, for ``lakeloom init``."""

from __future__ import annotations

from pathlib import Path

from lakeloom.core.errors import ConfigError
from lakeloom.core.names import is_identifier

_BASE = """\
version: 1
project: {name}
root: .lakeloom
seed: 7
"""
_SOURCES = """\
# Each source fills the table bronze.<its name>.
sources:
  orders: {{kind: files, path: landing/orders/*.csv, format: csv}}
"""
_TABLES = """\
tables:
  silver.orders:
    description: One row an order, typed; what breaks a rule is in quarantine.silver__orders.
    from: {{bronze.orders: new}}
    sql: sql/silver_orders.sql
    keys: [order_id]
    write: {{mode: merge, sequence_by: _position}}
    rules:
      - {{column: amount, expect: not_null, otherwise: quarantine}}
      - {{column: amount, expect: values_between, min: 0, max: 10000, otherwise: quarantine}}
  gold.daily_orders:
    description: Orders and revenue a day and country.
    from: {{silver.orders: whole}}
    sql: sql/gold_daily_orders.sql
"""
_SILVER = """\
SELECT
    try_cast(order_id AS bigint) AS order_id,
    trim(country) AS country,
    try_cast(amount AS double) AS amount,
    try_cast(ordered_at AS timestamp) AS ordered_at,
    _position
FROM bronze.orders
"""
_GOLD = """\
SELECT
    to_date(ordered_at) AS day,
    country,
    count(*) AS orders,
    sum(amount) AS revenue
FROM silver.orders
GROUP BY to_date(ordered_at), country
"""
_TESTS = """\
# What the tables must make of a few rows: lakeloom test
tests:
  an order is typed, and one whose amount is no number is kept apart:
    table: silver.orders
    given:
      bronze.orders:
        - {{order_id: 1, country: " NL ", amount: "12.50", ordered_at: 2026-01-05 09:12:00}}
        - {{order_id: 2, country: DE, amount: not a number, ordered_at: 2026-01-05 10:40:00}}
    expect:
      - {{order_id: 1, country: NL, amount: 12.5, ordered_at: 2026-01-05 09:12:00}}
    quarantined:
      - {{order_id: 2, reasons: ["amount:not_null"]}}
  orders are counted by day and country:
    table: gold.daily_orders
    given:
      silver.orders:
        - {{order_id: 1, country: NL, amount: 12.5, ordered_at: 2026-01-05 09:12:00}}
        - {{order_id: 2, country: NL, amount: 7.5, ordered_at: 2026-01-05 23:59:59}}
        - {{order_id: 3, country: NL, amount: 1.0, ordered_at: 2026-01-06 00:00:00}}
    expect:
      - {{day: 2026-01-05, country: NL, orders: 2, revenue: 20}}
      - {{day: 2026-01-06, country: NL, orders: 1, revenue: 1}}
"""
_LANDING = """\
order_id,country,amount,ordered_at
1,NL,12.50,2026-01-05 09:12:00
2,DE,99.00,2026-01-05 10:40:00
3,NL,7.25,2026-01-05 17:03:00
4,FR,not a number,2026-01-06 08:30:00
5,DE,41.10,2026-01-06 12:15:00
6,FR,18.00,2026-01-06 19:55:00
"""
FILES = {
    "conf/base.yml": _BASE,
    "conf/{name}/sources.yml": _SOURCES,
    "conf/{name}/tables.yml": _TABLES,
    "conf/{name}/sql/silver_orders.sql": _SILVER,
    "conf/{name}/sql/gold_daily_orders.sql": _GOLD,
    "conf/{name}/tests/orders.yml": _TESTS,
    "landing/orders/2026-01.csv": _LANDING,
}


def base_text(name: str) -> str:
    """Return ``base.yml`` of a new project."""
    return _BASE.format(name=name)


def scaffold(name: str, folder: Path) -> list[Path]:
    """Write a project into `folder` and return its files, relative to it.

    Raises
    ------
    ConfigError
        LL-CONF-014 where `name` is not a plain identifier, LL-CONF-016 where a file of it exists;
        nothing is written then.
    """
    if not is_identifier(name):
        raise ConfigError("LL-CONF-014", f"'{name}' is not a name", fix="use letters, digits and underscores")
    files = {Path(path.format(name=name)): text.format(name=name) for path, text in FILES.items()}
    taken = [str(path) for path in files if (folder / path).exists()]
    if taken:
        raise ConfigError("LL-CONF-016", f"{', '.join(taken)} exists already", fix="choose another folder")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return list(files)
