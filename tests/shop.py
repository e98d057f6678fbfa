"""A small project for tests: a shop's orders (CSV) and customers (JSON lines) to silver and gold."""

import gzip
import json
from pathlib import Path

BASE = "project: shop\nroot: .lakeloom\nseed: 7\n"
SOURCES = """\
sources:
  orders: {kind: files, path: in/orders/*.csv*, format: csv}
  customers:
    kind: files
    path: in/customers/*.jsonl
    format: json
    columns: {id: string, name: string, city: string}
"""
TABLES = """\
tables:
  silver.orders:
    owner: shop-data
    from: {bronze.orders: new}
    sql: sql/silver_orders.sql
    keys: [order_id]
    write: {mode: merge, sequence_by: _position}
    columns:
      order_id: {type: bigint, description: number of the order}
      customer: {type: string}
      amount: {type: double, unit: euro, description: what was paid}
      ordered_on: {type: date}
    rules:
      - {column: amount, expect: values_between, min: 0, max: 10000}
  silver.customers:
    from: {bronze.customers: new}
    sql: select id, name, city, _position from bronze.customers
    keys: [id]
    write: {mode: merge, sequence_by: _position}
    columns: {id: string, name: string, city: string}
  gold.cities:
    from: {silver.orders: whole, silver.customers: whole}
    sql: sql/gold_cities.sql
    columns:
      city: string
      orders: bigint
      amount: {type: double, unit: euro}
"""
SILVER_ORDERS = """\
select
    try_cast(order_id as bigint) as order_id,
    customer,
    try_cast(amount as double) as amount,
    try_cast(ordered_on as date) as ordered_on,
    _position,
    _file
from bronze.orders
"""
GOLD_CITIES = """\
select c.city, count(*) as orders, sum(o.amount) as amount
from silver.orders as o
join silver.customers as c on o.customer = c.id
group by c.city
"""
ORDERS_1 = "order_id,customer,amount,ordered_on\n1,a,10.5,2026-01-01\n2,b,20,2026-01-02\n3,a,-5,2026-01-03\n"
ORDERS_2 = "order_id,customer,amount,ordered_on\n2,b,25,2026-01-02\n4,c,7,2026-01-04\nx,c,8,2026-01-05\n"
CUSTOMERS = [
    {"id": "a", "name": "Ada", "city": "Oslo"},
    {"id": "b", "name": "Bo", "city": "Rome"},
    {"id": "c", "name": "Cy", "city": "Oslo"},
]


def lay_out(home: Path) -> Path:
    """Write the project and its first files under `home`; return the ``conf`` folder."""
    folder = home / "conf" / "shop"
    (folder / "sql").mkdir(parents=True)
    (home / "conf" / "base.yml").write_text(BASE)
    (folder / "sources.yml").write_text(SOURCES)
    (folder / "tables.yml").write_text(TABLES)
    (folder / "sql" / "silver_orders.sql").write_text(SILVER_ORDERS)
    (folder / "sql" / "gold_cities.sql").write_text(GOLD_CITIES)
    drop(home, "orders/2026-01.csv.gz", ORDERS_1)
    drop(home, "customers/all.jsonl", "".join(json.dumps(each) + "\n" for each in CUSTOMERS))
    return home / "conf"


def drop(home: Path, name: str, text: str | bytes) -> Path:
    """Put a file into the landing folder ``in/``; text for a ``.gz`` is compressed, bytes stay as they are."""
    file = home / "in" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode() if isinstance(text, str) else text
    file.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") and isinstance(text, str) else content)
    return file
