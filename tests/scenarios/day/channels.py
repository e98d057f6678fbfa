"""The channels that orders come by, each a source of its own kind: what it is told, and how a project reads it."""

import csv
import gzip
import io
import json
import sqlite3
import subprocess
import threading
from contextlib import contextmanager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from tests.scenarios.day.told import Order, Told
from tests.servers import KEYS

COLUMNS = {"token": "string", "id": "string", "rev": "int", "hour": "int", "amount": "decimal(12,2)"}
_AVRO = fastavro.parse_schema(
    {"type": "record", "name": "order", "fields": [{"name": name, "type": "string"} for name in COLUMNS]}
)


class Channel:
    """One source.

    Attributes
    ----------
    name : str
    told : Told
    source : dict
        What ``sources.yml`` says of it.
    line : str or None
        The line that the project reaches it by.
    server : int or None
        The port of its server, where that can be restarted.
    """

    # What may happen to deliveries: all kinds of sources are rewritten, not all can be told a thing twice.
    events = ("rewritten", "late", "duplicate")
    bad_every = 40

    def __init__(self, name, source, line=None, server=None):
        self.name, self.source, self.line, self.server, self.told = name, source, line, server, Told()
        self._number = 0

    def fresh(self, hour, count):
        """Make new orders."""
        first, self._number = self._number, self._number + count
        return [
            Order(f"{self.name}-{at}", 1, hour, bad=bool(self.bad_every) and at % self.bad_every == 7)
            for at in range(first, first + count)
        ]

    def deliver(self, hour, count):
        """Let new orders come."""
        raise NotImplementedError

    def late(self, hour, count):
        """Let orders come that are older than what is there."""
        raise NotImplementedError

    def rewritten(self, chance):
        """Let something that is there become another one."""
        raise NotImplementedError

    def duplicate(self, chance):
        """Let something that is there come once more."""
        raise NotImplementedError


class Files(Channel):
    """Objects of a store, or files of a folder; `put` takes a key and bytes."""

    def __init__(self, name, path, form, put, more=None, **reached):
        source = {"kind": "files", "path": path, "format": form.format, **(more or {})}
        super().__init__(name, source | ({} if form.typed else {"columns": COLUMNS}), **reached)
        self._put_, self._form, self._written = put, form, {}
        self.bad_every = 0 if form.typed else Channel.bad_every

    def _put(self, key, orders, content=None):
        self.told.put(key, orders)
        self._written[key] = content or self._form.write([order.fields for order in orders])
        self._put_(key, self._written[key])

    def deliver(self, hour, count):
        self._put(f"{hour:02d}/{self._number:06d}{self._form.suffix}", self.fresh(hour, count))

    def late(self, hour, count):
        self._put(f"{max(hour - 3, 0):02d}/late-{self._number:06d}{self._form.suffix}", self.fresh(hour - 1, count))

    def rewritten(self, chance):
        key = chance.choice(sorted(self.told.pieces))
        self._put(key, [order.corrected() for order in self.told.pieces[key]])

    def duplicate(self, chance):
        key = chance.choice(sorted(self.told.pieces))
        again = f"{key.partition('/')[0]}/again-{len(self.told.pieces):06d}{self._form.suffix}"
        self._put(again, self.told.pieces[key], self._written[key])


class Page(Channel):
    """One file of a web server that grows: each version has all orders, each at the version's revision."""

    events = ("rewritten",)
    bad_every = 0

    def __init__(self, name, path, pages, **reached):
        super().__init__(name, {"kind": "files", "path": path, "format": "csv", "columns": COLUMNS}, **reached)
        self._pages = pages

    def deliver(self, hour, count):
        before = [order.corrected() for order in self.told.pieces.get("page", ())]
        orders = before + self.fresh(hour, count)
        self.told.put("page", orders)
        self._pages["/orders.csv"] = CSV.write([order.fields for order in orders])

    def rewritten(self, chance):
        del chance
        self.deliver(0, 0)


class Rows(Channel):
    """A table of a database, read by the watermark of its rows; `run` takes statements."""

    events = ("rewritten", "late")
    bad_every = 0
    create = (
        "CREATE TABLE orders (id varchar(40) PRIMARY KEY, token varchar(50), rev int, hour int, amount decimal(12,2), "
        "updated_at timestamp(6) NULL)"
    )

    def __init__(self, name, source, run, **reached):
        said = {"kind": "jdbc", "table": "orders", "keys": ["id"]}
        super().__init__(name, said | source | self.incremental, **reached)
        self._run, self._clock = run, 0
        self._run(self.create)

    incremental = {"incremental": {"by": "updated_at", "overlap": "10 minutes"}}

    def _at(self, back=0):
        moment = max(self._clock - back, 0)
        return f"2026-03-02 {moment // 3600:02d}:{moment // 60 % 60:02d}:{moment % 60:02d}"

    def _tell(self, orders, back=0):
        for order in orders:
            self.told.put(order.id, [order])
        values = ", ".join(
            f"('{order.id}', '{order.token}', {order.rev}, {order.hour}, {order.amount}, '{self._at(back)}')"
            for order in orders
        )
        ids = ", ".join(f"'{order.id}'" for order in orders)
        # One transaction, so that no reader finds a row neither as it was nor as it is.
        self._run("BEGIN", f"DELETE FROM orders WHERE id IN ({ids})", f"INSERT INTO orders VALUES {values}", "COMMIT")

    @property
    def _columns(self):
        return "id, token, rev, hour, amount, updated_at"

    def deliver(self, hour, count):
        self._clock += 60
        self._tell(self.fresh(hour, count))

    def late(self, hour, count):
        """Commit rows whose watermark is that of the newest ones, or a little older: a tie, and a long transaction."""
        orders = self.fresh(hour, count)
        self._tell(orders[::2])
        self._tell(orders[1::2], back=90)

    def rewritten(self, chance):
        self._clock += 1
        ids = sorted(chance.sample(sorted(self.told.pieces), min(5, len(self.told.pieces))))
        self._tell([self.told.pieces[each][0].corrected() for each in ids])


class Whole(Rows):
    """A table without a watermark: compared as a whole at each poll."""

    incremental = {}


class Form:
    """How orders are written into a file."""

    def __init__(self, name, suffix, write, *, typed=False):
        self.format, self.suffix, self.write, self.typed = name, suffix, write, typed


def _csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _avro(rows):
    out = io.BytesIO()
    fastavro.writer(out, _AVRO, rows)
    return out.getvalue()


def _parquet(rows):
    out = io.BytesIO()
    whole = {"rev": int, "hour": int}
    kinds = {"rev": pa.int32(), "hour": pa.int32(), "amount": pa.decimal128(12, 2)}
    table = {
        name: pa.array([whole.get(name, str)(row[name]) for row in rows]).cast(kinds.get(name, pa.string()))
        for name in COLUMNS
    }
    pq.write_table(pa.table(table), out)
    return out.getvalue()


CSV = Form("csv", ".csv", _csv)
GZIPPED = Form("csv", ".csv.gz", lambda rows: gzip.compress(_csv(rows), mtime=0))
JSON = Form("json", ".jsonl", lambda rows: b"".join(json.dumps(row).encode() + b"\n" for row in rows))
AVRO = Form("avro", ".avro", _avro)
PARQUET = Form("parquet", ".parquet", _parquet, typed=True)


def into_folder(folder):
    """Return what puts files into a folder: written beside it and moved there."""
    drafts = folder.with_name(f"{folder.name}.drafts")

    def put(key, content):
        draft, file = drafts / key.replace("/", "-"), folder / key
        draft.parent.mkdir(parents=True, exist_ok=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(file)

    return put


def sqlite(file):
    """Return what runs statements on a database in a file."""

    def run(*statements):
        with sqlite3.connect(file, isolation_level=None, timeout=30) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    return run


def by_client(*words, **env):
    """Return what runs statements through a database's own client; a server that restarts is waited for."""

    def run(*statements):
        text = ";\n".join(statements) + ";\n"
        for _ in range(60):
            done = subprocess.run(
                [str(word) for word in words], input=text, env=env | {"PATH": "/usr/bin:/bin"}, text=True,
                capture_output=True, timeout=60,
            )  # fmt: skip
            if done.returncode == 0:
                return
            threading.Event().wait(0.5)
        raise AssertionError(done.stderr)

    return run


def postgresql(port):
    """Return what runs statements on PostgreSQL."""
    return by_client("psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port, "-U", "loom", "-d", "postgres",
                     PGPASSWORD=KEYS["secret_key"])  # fmt: skip


def mariadb(port):
    """Return what runs statements on MariaDB."""
    return by_client("mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "loom", "fleet",
                     MYSQL_PWD=KEYS["secret_key"])  # fmt: skip


@contextmanager
def web():
    """Yield the port of a web server, and its pages, a dict of path → bytes, which may be changed."""
    pages = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self._answer(with_body=False)

        def do_GET(self):
            self._answer(with_body=True)

        def _answer(self, *, with_body):
            content = pages.get(self.path)
            if content is None:
                self.send_error(404)
                return
            tag = f'"{md5(content, usedforsecurity=False).hexdigest()}"'
            if self.headers.get("If-Match") not in (None, tag):
                self.send_error(412)
                return
            self.send_response(200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

        def log_message(self, *words):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port, pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
