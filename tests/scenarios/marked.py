"""A project whose every secret is an unmistakable word, run by the command line; and where such a word shows."""

import base64
import gzip
import io
import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import psutil
import pyarrow.parquet as pq

from lakeloom.session.jars import jars_home
from tests.servers import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
DRIVER = "org.postgresql.Driver"
TABLES = """\
tables:
  silver.flown:
    from: {bronze.planes: whole, bronze.fleet: whole, bronze.trips: whole}
    sql: >-
      select p.tail, f.seats, t.w as trip from bronze.planes p
      join bronze.fleet f on f.tail = p.tail join bronze.trips t on t.id = p.id
    columns: {tail: string, seats: int, trip: string}
  gold.held:
    from: {silver.flown: whole}
    function: tests.scenarios.held_functions:held
    columns: {tail: string, seats: int, trip: string}
"""
BROKEN = """\
  gold.broken:
    from: {bronze.clicks: whole}
    function: tests.scenarios.held_functions:broken
    columns: {id: bigint}
"""


class Marked:
    """The project on a home, its vault (a folder) beside it.

    Attributes
    ----------
    words : dict
        Secret → its word.
    """

    def __init__(self, place, port, bucket, words, root):
        self.home, self.vault, self.words, self.port, self.bucket = place / "home", place / "vault", words, port, bucket
        self.ui, self.root = free_port(), {"folder": ".lakeloom", "bucket": f"{bucket.root}/lake"}[root]
        for name, word in words.items():
            self.keep(name, word)
        (self.home / "conf" / "marked").mkdir(parents=True)
        (self.home / "events").mkdir()
        self._base()
        self.sources(port)
        self.say("tables", TABLES)
        at = f"jdbc:postgresql://127.0.0.1:{port}/postgres"
        where = {
            "kind": "jdbc",
            "driver": DRIVER,
            "url": f"{at}?user=marked&password=" + "${secret:db/word}",
            "table": "marked.flown",
        }
        exports = {
            "fleet": {"from": "silver.flown", "to": where | {"create": True}},
            "files": {"from": "silver.flown", "to": f"{bucket.root}/out/", "format": "csv"},
        }
        self.say("exports", json.dumps({"exports": exports}))

    def keep(self, name, word):
        """Put a secret into the vault."""
        file = self.vault / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(word)
        file.chmod(0o600)

    def say(self, name, text):
        (self.home / "conf" / "marked" / f"{name}.yml").write_text(text)

    def sources(self, second):
        """Say where rows come from; `second` is the port of the second database."""
        user = {"user": "marked", "password": "${secret:db/word}", "driver": DRIVER}
        at = "jdbc:postgresql://127.0.0.1:{}/postgres"
        sources = {
            "planes": {"kind": "jdbc", "url": at.format(self.port), "table": "marked.planes", **user},
            "fleet": {"kind": "jdbc", "url": at.format(second) + "?user=marked&password=${secret:db/word}",
                      "driver": DRIVER, "query": "select tail, seats from marked.fleet"},
            "clicks": {"kind": "files", "path": f"{self.bucket.root}/clicks/**", "format": "csv", "columns": {"id": "bigint"}},
            "trips": {"kind": "files", "path": f"{self.bucket.root}/trips/*.parquet", "format": "parquet", "access": "direct"},
        }  # fmt: skip
        self.say("sources", json.dumps({"sources": sources}))

    def _base(self):
        stores = {
            root: each | {"access_key": "${secret:store/access}", "secret_key": "${secret:store/secret}"}
            for root, each in self.bucket.stores.items()
        }
        spark = {
            "spark.ui.enabled": True, "spark.ui.port": self.ui, "spark.eventLog.enabled": True,
            "spark.jars": ",".join(map(str, sorted((jars_home() / "test").glob("postgresql-*.jar")))),
            "spark.eventLog.dir": f"file://{self.home / 'events'}", "spark.eventLog.compress": False,
            "spark.hadoop.fs.another.auth": "${secret:spark/hadoop}", "spark.sql.another.login": "${secret:spark/sql}",
        }  # fmt: skip
        said = {"project": "marked", "retries": 0, "root": self.root, "stores": stores, "spark": spark}
        (self.home / "conf" / "base.yml").write_text(json.dumps(said))

    def begin(self, *words):
        """Start a command; what it says goes to files of the home."""
        for name in ("held", "go"):
            (self.vault / name).unlink(missing_ok=True)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("LAKELOOM_", "AWS_"))}
        env |= {
            "PYTHONPATH": f"{CHECKOUT / 'lib'}:{CHECKOUT}",
            "LAKELOOM_SECRETS": str(self.vault),
            "HELD": str(self.vault),
        }
        with (self.home / "said.out").open("ab") as out, (self.home / "said.err").open("ab") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "lakeloom.cli", *words], stdout=out, stderr=err, cwd=self.home, env=env,
                start_new_session=True,
            )  # fmt: skip

    def said(self):
        return (self.home / "said.err").read_text() + (self.home / "said.out").read_text()

    def wait(self, process, ready):
        """Wait until something is so."""
        until = time.monotonic() + 200
        while not ready():
            assert process.poll() is None and time.monotonic() < until, self.said()[-4000:]
            time.sleep(0.05)

    def pages(self):
        """Yield (address, content) of all that Spark's own server says."""
        at = f"http://127.0.0.1:{self.ui}"
        api = f"{at}/api/v1/applications"
        (application,) = [each["id"] for each in json.loads(_get(api))]
        asked = ["environment", "jobs", "stages?details=true", "allexecutors", "executors/driver/threads", "storage/rdd",
                 "sql?details=true&planDescription=true&length=1000"]  # fmt: skip
        for each in asked:
            yield each, _get(f"{api}/{application}/{each}")
        queries = json.loads(_get(f"{api}/{application}/sql?details=false&length=1000"))
        pages = ["environment/", "jobs/", "stages/", "storage/", "executors/", "SQL/", "metrics/json/",
                 "executors/threadDump/?executorId=driver"]  # fmt: skip
        pages += [f"SQL/execution/?id={each['id']}" for each in queries]
        for each in pages:
            yield each, _get(f"{at}/{each}")


def marks():
    """Return words for all secrets that no text has by chance."""
    names = ("db/word", "store/access", "store/secret", "spark/hadoop", "spark/sql")
    return {name: f"MARKED{name.replace('/', '')}{token_hex(12)}" for name in names}


def shows(content, words):
    """Return the words that stand in bytes: as they are, in UTF-16, or in base64."""
    found = []
    for word in words:
        plain = word.encode()
        coded = [base64.b64encode(b"x" * lead + plain)[-(-lead * 4 // 3) : -4] for lead in range(3)]
        if any(each in content for each in (plain, word.encode("utf-16-le"), *coded)):
            found.append(word)
    return found


def contents(folder):
    """Yield (file, bytes) of what lies under a folder, what is packed unpacked."""
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = file.read_bytes()
        if file.suffix == ".gz":
            content += gzip.decompress(content)
        if content[:4] == b"PAR1" == content[-4:]:
            content += repr(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
        yield file, content


def below(process):
    """Return a process and all that it has started, with what each was started with, as the system shows it."""
    found = []
    for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        place = Path("/proc", str(each.pid))
        with suppress(OSError):  # it has ended
            found.append((each, (place / "cmdline").read_bytes(), (place / "environ").read_bytes()))
    return found


def _get(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.read()
