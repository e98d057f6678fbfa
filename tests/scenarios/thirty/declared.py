"""What the shop declares, and how that changes in the course of the month.

A change holds from the first run after its day on.
"""

BASE = "project: thirty\nseed: 7\n"
SOURCES = """\
sources:
  orders: {kind: files, path: in/orders/*.csv, format: csv}
  customers:
    kind: files
    path: in/customers/*.jsonl
    format: json
    columns: {before: string, after: string, op: string, source: string}
  stock: {kind: files, path: in/stock/*.csv, format: csv}
"""
TABLES = """\
tables:
  silver.orders:
    owner: shop-data
    from: {bronze.orders: new}
    clean:
      - trim: {columns: "*"}
      - parse: {column: order_id, type: bigint}
      - parse: {column: pieces, type: int}
      - parse: {column: amount, type: "decimal(10,2)"}
      - parse: {column: ordered_at, type: timestamp, formats: ["yyyy-MM-dd HH:mm", "dd.MM.yyyy HH:mm"], zone: UTC}
      - lower: [sku]
    keys: [order_id]
    write: {mode: merge, sequence_by: _position, change_feed: true}
    evolve: add
    columns:
      order_id: bigint
      customer: {type: string, nullable: false, tags: [pii]}
      sku: string
      pieces: int
      amount: {type: "decimal(10,2)", unit: euro}
      ordered_at: timestamp
    rules:
      - {column: amount, expect: values_between, min: 0, max: 1000}
      - {column: sku, expect: in_set, values: [lamp, desk, chair, vase, rug], otherwise: warn}
      - {column: customer, expect: references, to: silver.customers_history, to_columns: [id]}
  silver.customers:
    from: {bronze.customers: new}
    changes: {format: debezium, sequence: source.lsn}
    keys: [id]
    write: {mode: scd4, sequence_by: _sequence, history: silver.customers_history}
    columns: {id: string, name: {type: string, nullable: false}, city: string}
  silver.stock:
    from: {bronze.stock: new}
    sql: select sku, cast(pieces as int) as pieces, cast(day as date) as day, _position from bronze.stock
    keys: [sku]
    write: {mode: scd2, snapshot_by: day}
    columns: {sku: string, pieces: int, day: date}
  silver.order_changes:
    from: {silver.orders: changes}
    changes: delta
    keys: [order_id]
    write: {mode: merge, sequence_by: _sequence}
    evolve: add
    columns: {order_id: bigint, amount: "decimal(10,2)"}
    rules:
      - {expect: reconciles, to: silver.orders, sums: [amount]}
  gold.days:
    from: {silver.orders: whole, silver.customers: whole}
    sql: >-
      select to_date(o.ordered_at) as day, coalesce(c.city, 'gone') as city, count(*) as orders, sum(o.amount) as amount
      from silver.orders as o left join silver.customers as c on o.customer = c.id
      group by to_date(o.ordered_at), coalesce(c.city, 'gone')
    keys: [day, city]
    rules:
      - {expect: row_count_between, min: 1}
"""
# The bank, a supplier and a scanner begin to tell; the latter two disagree.
SUPPLIED_SOURCES = """\
  payments: {kind: files, path: in/payments/*.csv, format: csv}
  prices:
    kind: files
    path: in/prices/*.jsonl
    format: json
    columns: {op: string, at: timestamp, sku: string, price: string, title: string, shelf: string, colour: string,
              maker: string}
  labels: {kind: files, path: in/labels/*.csv, format: csv}
"""
SUPPLIED_TABLES = """\
  silver.statements:
    from: {bronze.payments: new}
    clean: [{trim: {columns: "*"}}]
    write: {mode: append}
    columns: {order_id: string, day: string, paid: string, told: string}
    upkeep: {every: 7 days, compact: {small_files: 3}}
  silver.payments:
    from: {bronze.payments: new}
    clean:
      - parse: {column: order_id, type: bigint}
      - parse: {column: day, type: date}
      - parse: {column: paid, type: "decimal(10,2)"}
      - parse: {column: told, type: date}
    write: {mode: replace, by: [day], sequence_by: told, partition_by: [day]}
    columns: {order_id: bigint, day: date, paid: {type: "decimal(10,2)", unit: euro}, told: date}
    rules:
      - {column: day, expect: fresh, within: 2 days}
      - {expect: reconciles, to: silver.orders, sums: {paid: amount}, otherwise: warn}
  silver.prices:
    from: {bronze.prices: new}
    changes: {format: generic, operation: op, insert: [I], update: [U], delete: [D], sequence: at}
    clean: [{parse: {column: price, type: int}}]
    keys: [sku]
    write: {mode: merge, sequence_by: _sequence}
    evolve: widen
    on_change: forward
    columns:
      sku: string
      at: timestamp
      price: {type: int, unit: euro}
      title: string
      colour: string
      maker: string
      shelf: string
  silver.labels:
    from: {bronze.labels: new}
    sql: select *, cast(seen as timestamp) as first_seen from bronze.labels
    keys: [sku]
    write:
      mode: merge
      sequence_by: seen
      keep: [first_seen]
      update_when: new.sure >= old.sure or new.seen > old.seen + interval 4 days
    evolve: rescue
    columns:
      sku: string
      price: "decimal(12,2)"
      title: string
      shelf: string
      colour: string
      sure: int
      seen: timestamp
      first_seen: timestamp
    rules:
      - {column: price, expect: values_between, min: 1, max: 500, at_most: 40 %}
  silver.catalogue:
    from: {silver.prices: whole, silver.labels: whole}
    resolve:
      sources: {silver.prices: {name: supplier, newer_by: at}, silver.labels: {name: scanner, newer_by: seen}}
      columns:
        price: newest
        title: {by: priority, order: [supplier]}
        shelf: {expression: "coalesce(scanner.shelf, supplier.shelf)"}
      otherwise: complete
      losers: silver.catalogue_losers
    keys: [sku]
    columns: {sku: string, price: "decimal(12,2)", title: string, shelf: string, colour: string}
    rules:
      - {expect: volume, at_least: 2}
"""
# The doors get counters.
VISITS_SOURCE = """\
  visits: {kind: files, path: in/visits/*.jsonl, format: json, columns: {door: string, at: string}}
"""
VISITS_TABLE = """\
  silver.visits:
    from: {bronze.visits: new}
    sql: >
      select door, window.start as began, count(*) as visits
      from bronze.visits group by door, window(at, '1 day')
    stream: {watermarks: {bronze.visits: {column: at, delay: 3 hours}}}
    write: {mode: append}
    keys: [door, began]
    columns: {door: string, began: timestamp, visits: bigint}
"""
SUPPLIED, EVOLVED, MENDED = 5, 12, 21
# The supplier's prices get cents, what was a maker is a brand, and nobody needs its shelves: from here on, since what
# was told before is not told again. A desk for more than 1000 euro is no mistake, as the rule said that it was.
CHANGES = {
    EVOLVED: (
        ("price, type: int}}]", 'price, type: "decimal(12,2)"}}, {rename: {maker: brand}}, {drop: [shelf]}]'),
        ("price: {type: int, unit: euro}", 'price: {type: "decimal(12,2)", unit: euro}'),
        ("      maker: string\n      shelf: string\n",
         "      brand: {type: string, renamed_from: maker}\n    dropped: [shelf]\n"),
    ),
    MENDED: (("min: 0, max: 1000}", "min: 0, max: 5000}"),),
}  # fmt: skip
MORE = ((SUPPLIED, SUPPLIED_SOURCES, SUPPLIED_TABLES), (EVOLVED, VISITS_SOURCE, VISITS_TABLE))


def declare(home, after=0):
    """Write the declaration as it stands after a day's run."""
    folder = home / "conf" / "thirty"
    folder.mkdir(parents=True, exist_ok=True)
    sources, tables = SOURCES, TABLES
    for since, more_sources, more_tables in MORE:
        if since <= after:
            sources, tables = sources + more_sources, tables + more_tables
    for day, changes in CHANGES.items():
        for old, new in changes if day <= after else ():
            tables = once(tables, old, new)
    (home / "conf" / "base.yml").write_text(BASE)
    (folder / "sources.yml").write_text(sources)
    (folder / "tables.yml").write_text(tables)


def once(text, old, new):
    """Return a declaration with one thing changed that stands there once."""
    assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
    return text.replace(old, new)
