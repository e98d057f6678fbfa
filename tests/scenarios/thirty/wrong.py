"""A declaration in which hardly anything goes together."""

WRONG = """\
tables:
  silver.orders:
    from: {bronze.orders: new, bronze.stock: changes}
    sql: select order_id from bronze.orders
    write: {mode: scd2, by: [day], delete_when: rand() < 1}
    evolve: sometimes
  silver.customers:
    from: {bronze.customers: new}
    changes: {format: maxwell}
    write: {mode: scd4, sequence_by: _sequence}
  silver.stock:
    from: {bronze.stock: new}
    clean: [{trim: [sku]}, {parse: {column: pieces, type: integre}}, {polish: [sku]}]
    keys: [skuu]
    write: {mode: merge, snapshot_by: day, sequence_by: day}
    columns: {sku: string, day: date, valid_from: date}
    rules:
      - {column: sku, expect: references, to: silver.skus}
      - {expect: volume, otherwise: quarantine}
  silver.payments:
    from: {bronze.payments: new}
    sql: select order_id, day from bronze.payments
    write: {mode: replace, by: [day]}
    upkeep: {compact: {target: much}, vacuum: {keep: 5 minutes}}
    rules:
      - {column: day, expect: fresh}
      - {expect: reconciles, to: silver.order, sums: [paid], at_most: 200 %}
  silver.order_log:
    from: {bronze.orders: new}
    sql: select * from bronze.orders
    write: {mode: append, keep: [order_id], update_when: new.amount > old.amount}
  silver.prices:
    from: {bronze.prices: new}
    changes: {format: generic, operations: op}
    keys: [sku]
    write: {mode: merge, sequence_by: _sequence, update_when: new.at > now()}
    on_change: forwards
    columns: {sku: string, price: {type: int, evolve: wider}}
  silver.labels:
    from: {bronze.labels: whole}
    resolve:
      sources: {bronze.labels: {name: scanner}}
      columns: {price: newest, title: {by: priority, order: [supplier]}, shelf: {expression: rand()}}
    keys: [sku]
    columns: {sku: string}
  silver.catalogue:
    from: {bronze.prices: new, bronze.labels: whole}
    resolve:
      sources: {bronze.prices: {name: supplier}, bronze.labels: {name: scanner}}
      losers: silver.labels
    columns: {sku: string}
  silver.visits:
    from: {bronze.visits: new, silver.orders: changes}
    sql: select door, count(*) as visits from bronze.visits group by door
    stream: {output: update, static: forward, watermarks: {bronze.visits: {column: when, delay: 1 hour}, bronze.vists: {column: at, delay: 1 hour}}}
    write: {mode: append}
    on_change: forward
  silver.doors:
    from: {bronze.visits: new}
    sql: select door from bronze.visits
    stream: {every: often, output: some}
"""
