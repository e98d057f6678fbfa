"""A project as if it had run: tables written without Spark, and intents that tell what a run would have noted."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from lakeloom.config.load import read
from lakeloom.lineage.flows import ColumnFlow, Flow, Flows
from lakeloom.lineage.made import keep
from lakeloom.project.about import about
from lakeloom.project.check import checked
from lakeloom.project.graph import is_table
from lakeloom.project.graph import steps as graph
from lakeloom.project.prints import printed
from lakeloom.store import refs
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake

KINDS = {
    "bigint": pa.int64(), "int": pa.int32(), "double": pa.float64(), "string": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
}  # fmt: skip
BASE = "project: ran\nseed: 7\nowners: {ops: ops@acme.test, sales: sales@acme.test, depot: depot@acme.test}\n"
SOURCES = """\
sources:
  orders:
    kind: files
    path: in/*.jsonl
    format: json
    columns: {id: bigint, city: string, at: timestamp, amount: double, spare: string}
"""
TABLES = """\
tables:
  silver.orders:
    owner: ops
    from: {bronze.orders: new}
    sql: >-
      select id, upper(city) as town, at, amount * 1.2 as gross, spare from bronze.orders where amount > 4711
    keys: [id]
    write: {mode: merge, sequence_by: at}
    columns: {id: bigint, town: string, at: timestamp, gross: double, spare: {type: string, nullable: false}}
  gold.towns:
    owner: sales
    from: {silver.orders: whole}
    sql: select town, sum(gross) as gross, count(*) as orders from silver.orders group by town
  gold.audit:
    from: {silver.orders: whole}
    function: tests.ran:passed
  gold.spares:
    owner: depot
    from: {silver.orders: whole}
    sql: select spare, max(at) as at from silver.orders group by spare
"""
# Table → its columns, and of which columns of which tables each is made; what decides about rows.
COLUMNS = {
    "bronze.orders": {"id": "bigint", "city": "string", "at": "timestamp", "amount": "double", "spare": "string"},
    "silver.orders": {"id": "bigint", "town": "string", "at": "timestamp", "gross": "double", "spare": "string"},
    "gold.towns": {"town": "string", "gross": "double", "orders": "bigint"},
    "gold.audit": {"id": "bigint", "note": "string"},
    "gold.spares": {"spare": "string", "at": "timestamp"},
}
FLOWS = {
    "bronze.orders": ({name: [("sources.orders", name)] for name in COLUMNS["bronze.orders"]}, []),
    "silver.orders": (
        {"id": [("bronze.orders", "id")], "town": [("bronze.orders", "city")], "at": [("bronze.orders", "at")],
         "gross": [("bronze.orders", "amount")], "spare": [("bronze.orders", "spare")]},
        [("bronze.orders", "amount", "filter"), ("bronze.orders", "id", "grouping")],
    ),
    "gold.towns": (
        {"town": [("silver.orders", "town")], "gross": [("silver.orders", "gross")], "orders": []},
        [("silver.orders", "town", "grouping")],
    ),
    "gold.audit": None,
    "gold.spares": (
        {"spare": [("silver.orders", "spare")], "at": [("silver.orders", "at")]},
        [("silver.orders", "spare", "grouping")],
    ),
}  # fmt: skip


def passed(inputs):
    """Return the only input."""
    return next(iter(inputs.values()))


class Ran:
    """A project of orders that has run once, as far as anything without Spark can tell."""

    def __init__(self, home, tables=TABLES, columns=None, flows=None):
        self.home, self.folder = home, home / "conf" / "ran"
        self.folder.mkdir(parents=True)
        (home / "conf" / "base.yml").write_text(BASE)
        (self.folder / "sources.yml").write_text(SOURCES)
        self.declare(tables)
        self.columns, self.flows = columns or COLUMNS, flows or FLOWS

    def declare(self, tables=None, **files):
        """Write ``tables.yml``, and other files of the project by name."""
        for name, text in (({"tables": tables} if tables is not None else {}) | files).items():
            (self.folder / f"{name}.yml").write_text(text)

    def change(self, *pairs, file="tables"):
        """Put new text in the place of old."""
        place = self.folder / f"{file}.yml"
        text = place.read_text()
        for old, new in pairs:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        place.write_text(text)

    def project(self):
        return checked(read(self.home / "conf"))

    @property
    def lake(self):
        return Lake(self.project().root)

    def run(self, *but, prints=True, figures=None):
        """Write what a run leaves: tables, their words, refs, intents, flows and prints."""
        project = self.project()
        lake, intents, schemas = Lake(project.root), Intents(project.root), self.columns
        for step in graph(project):
            if step.name in but or step.kind == "upkeep":
                continue
            table = step.writes[0]
            if is_table(table):
                lay(lake, project, step, schemas[table])
            facts = {"versions": {table: 0}, "seconds": 2.0, "rows_in": 10, "bytes": 100}
            facts |= {"resources": {"bytes_read": 2**20, "bytes_written": 2**10}} | (figures or {}).get(step.name, {})
            flows = self.flows.get(table)
            if flows is not None:
                facts["lineage"] = {table: keep(project.root, told(step, *flows))}
            if prints:
                facts["prints"] = keep(project.root, printed(project, step, schemas))
            reads = {read.table: 0 for read in step.reads}
            intents.begin(Intent(step.name, 1, "20260101T000000-000001", "", 7, step.code, True, reads))
            intents.finish(intents.latest(step.name).intent, facts)
            refs.publish(lake, {table: 0}, step=step.name, epoch=1, run="r1", at=datetime(2026, 1, 1, tzinfo=UTC))
        return self


def lay(lake, project, step, columns):
    """Write an empty table of these columns, with its own words."""
    said = {key: value for key, value in about(project, step.writes[0]).items() if key != "comment"}
    for name in getattr(step.spec, "refuses_null", ()):
        said[f"delta.constraints.lakeloom_{name}_not_null"] = f"`{name}` IS NOT NULL"
    fields = [pa.field(name, KINDS[kind]) for name, kind in columns.items()]
    write_deltalake(lake.path(step.writes[0]), pa.schema(fields).empty_table())
    # deltalake writes no properties but Delta's own.
    log = Path(lake.path(step.writes[0])) / "_delta_log" / f"{0:020d}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        action.get("metaData", {}).get("configuration", {}).update(said)
    log.write_text("".join(json.dumps(action) + "\n" for action in actions))


def told(step, columns, rows):
    """Return flows as a run would have noted them."""
    made = {
        name: ColumnFlow(name, "made", tuple(Flow(*source, "value") for source in sources))
        for name, sources in columns.items()
    }
    every = [Flow(read.table, "", "rows") for read in step.reads] or [Flow(f"sources.{step.name}", "", "rows")]
    return Flows(made, (*every, *(Flow(*row, "?") for row in rows)))
