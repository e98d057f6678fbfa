"""A simulated day of a project with every kind of source, in which things go wrong; and its accounts at the end."""

import csv
import gzip
import io
import json
import random
import re
import subprocess
from collections import Counter
from contextlib import ExitStack
from decimal import Decimal

from lakeloom.flow.prepare import REPLAYED
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from tests.scenarios.day import project
from tests.scenarios.day.faults import DELIVERED, SPOILT, Fault, Killing, Restarting, Spoiling, after
from tests.scenarios.day.places import SECRETS
from tests.scenarios.day.told import takings
from tests.scenarios.dying import started

_TOKEN = re.compile(r"[a-z0-9]+-\d+/\d+")
# A run without a line that is silent for long; with its root behind one it asks for much more over lines.
LIMIT_S, LIMIT_IN_STORE_S = 400, 900


class Day:
    """The project, its runs and what befell them.

    Attributes
    ----------
    counted : Counter
        Fault → how often it has met something.
    refused : list of str
        What was wrong beside lost and doubled orders: a failure without a code, a channel that another one's fault
        has kept from landing.
    """

    def __init__(self, home, places, seed=20260302):
        self.home, self.places = home, places
        self.conf = project.write(home, places)
        self.chance = random.Random(seed)
        self.counted, self.refused = Counter(), []
        self._hour, self._work_s = 0, 10.0
        self._limit_s = LIMIT_S if places.root.line is None else LIMIT_IN_STORE_S

    @property
    def faults(self):
        """Every fault that can be had."""
        found = [Fault("killed", "run"), Fault("clock", "run")]
        for name, channel in self.places.channels.items():
            found += [Fault(kind, name) for kind in channel.events]
            found += self._of_line(name)
        return found + self._of_root

    @property
    def _of_root(self):
        return self._of_line("root")

    def _of_line(self, name):
        line, server = self.places.line(name)
        return [Fault(kind, name) for kind in SPOILT if line] + [Fault("restarted", name) for _ in range(bool(server))]

    def hour(self, *faults, count=120):
        """Let an hour pass: new orders everywhere, a run, and what goes wrong meanwhile. Return the run's document."""
        self._hour += 1
        for channel in self.places.channels.values():
            channel.deliver(self._hour, count)
        hours = self.chance.choice([-30, -3, 5, 40]) if Fault("clock", "run") in faults else 0
        before = {name: channel.told.here for name, channel in self.places.channels.items()}
        held = {fault: self._held(fault) for fault in faults if fault.kind not in (*DELIVERED, "clock")}
        for fault, each in held.items():
            if fault.kind != "killed":
                each.begin()
        with started(self.conf, "run", "--json", hours=hours, secrets=SECRETS) as process, ExitStack() as stack:
            for fault in faults:
                if fault.kind in DELIVERED:
                    # Before the run looks, while it does, or while it lands.
                    moment = self.chance.uniform(0.0, 5.0 + self._work_s)
                    stack.callback(after(process, moment, self._delivery(fault)).join)
                elif fault.kind == "killed":
                    held[fault].begin(process)
            said, complained = process.communicate(timeout=self._limit_s)
        met = {fault: each.end() for fault, each in held.items()}
        self.counted.update(fault for fault in faults if met.get(fault, True))
        if met.get(Fault("killed", "run")):
            return None
        return self._looked_at(said, complained, process.returncode, before, {fault.where for fault in faults})

    def befall(self, faults, tell=lambda line: None, at_once=8, count=40):
        """Let hours pass until so many faults have met something, or what must not be has been.

        All kinds come round, at most one a line and hour; of those of a root in a bucket one every other hour.
        """
        waiting, of_root = [], []
        while self.counted.total() < faults and not self.refused:
            taken, lines = [], set()
            of_root = of_root or self.chance.sample(self._of_root, len(self._of_root))
            if of_root and self._hour % 2 == 0:
                taken.append(of_root.pop())
                lines.add(self.places.root.line)
            waiting += self.chance.sample(self.faults, len(self.faults)) if len(waiting) < len(self.faults) else []
            for fault in list(waiting):
                line, _ = self.places.line(fault.where)
                if len(taken) < at_once and fault not in taken and (line is None or line not in lines):
                    taken.append(fault)
                    waiting.remove(fault)
                    lines.add(line)
            self.hour(*taken, count=count)
            lost, doubled = (sum(each) for each in zip(*self.differences().values(), strict=True))
            tell(
                f"hour {self._hour}: {self.counted.total()} of {faults}: "
                f"{', '.join(f'{fault.where} {fault.kind}' for fault in taken)}: {lost} still out, {doubled} doubled"
            )

    def _held(self, fault):
        if fault.kind == "killed":
            return Killing(self.places.root, self._work_s, self.chance)
        line, server = self.places.line(fault.where)
        if fault.kind == "restarted":
            return Restarting(self.places.lines, line, server, self.chance)
        return Spoiling(self.places.lines, line, fault.kind, self.chance)

    def _delivery(self, fault):
        channel, hour = self.places.channels[fault.where], self._hour
        if fault.kind == "late":
            return lambda: channel.late(hour, 20)
        return lambda: getattr(channel, fault.kind)(self.chance)

    def _looked_at(self, said, complained, code, before, befallen):
        """Hold the run's document against what may be, and remember what it has taken."""
        if code not in (0, 1) or "Traceback" in complained:
            self.refused.append(f"exit code {code}: {said[-1500:]} {complained[-1500:]}")
            return None
        document = json.loads(said)
        if "steps" not in document:
            if "root" not in befallen or not document["error"]["code"]:
                self.refused.append(f"the run as a whole: {document}")
            return None
        lines = {self.places.line(each)[0] for each in befallen}
        for step in document["steps"]:
            error = step.get("error")
            if error is not None and error["code"] == "LL-RUN-004":  # what nobody has thought of
                self.refused.append(f"{step['name']}: no code of its own: {error}")
            layer, _, name = step["name"].partition(".")
            if layer != "bronze":
                continue
            channel = self.places.channels[name]
            if step["status"] in ("done", "skipped") and not step.get("warnings"):
                # What goes on with an earlier execution takes what was pinned then, and looks for nothing newer.
                if not step["reason"].startswith(REPLAYED):
                    channel.told.took(before[name])
            elif "root" not in befallen and (channel.line is None or channel.line not in lines):
                self.refused.append(f"{step['name']} has suffered from another one's fault: {error or step}")
        return document

    def settle(self, runs=5):
        """Run without faults until nothing is left to be done."""
        for _ in range(runs):
            before = {name: channel.told.here for name, channel in self.places.channels.items()}
            with started(self.conf, "run", "--json", secrets=SECRETS) as process:
                said, complained = process.communicate(timeout=self._limit_s)
            document = self._looked_at(said, complained, process.returncode, before, set())
            assert document is not None, self.refused
            if all(step["status"] == "skipped" for step in document["steps"]):
                return
        raise AssertionError(f"not settled after {runs} runs: {document}")

    @property
    def _lake(self):
        return Lake(self.places.root.place)

    def rows(self, table):
        """Return the rows of a published table; none where there is no such table."""
        lake = self._lake
        version = refs.good(lake).get(table)
        return [] if version is None else lake.arrow(table, version).to_pylist()

    def differences(self):
        """Return for each channel how many orders are lost and how many doubled, in bronze and quarantine together."""
        found = {}
        for name, channel in self.places.channels.items():
            tokens = Counter(row["token"] for row in self.rows(f"bronze.{name}"))
            kept = [row["raw"] or row["row"] or "" for row in self.rows(f"quarantine.bronze__{name}")]
            tokens.update(match[0] for match in map(_TOKEN.search, kept) if match)
            found[name] = channel.told.differences(tokens)
        return found

    def truth(self):
        """Return what silver.orders and gold.takings must hold, computed from what the sources were told."""
        told = {name: channel.told for name, channel in self.places.channels.items()}
        orders = {order.id: (order.rev, order.amount) for each in told.values() for order in each.newest().values()}
        return orders, takings(told)

    def tables(self):
        """Return the same as it stands in the tables."""
        orders = self.rows("silver.orders")
        assert len({row["id"] for row in orders}) == len(orders)
        return (
            {row["id"]: (row["rev"], row["amount"]) for row in orders},
            {(row["channel"], row["hour"]): (row["orders"], row["amount"]) for row in self.rows("gold.takings")},
        )

    def gone_out(self):
        """Return the same as its readers see it: orders in the database, takings in the bucket, by its manifest."""
        rows = self._shipped()
        assert len({row[0] for row in rows}) == len(rows)
        orders = {number: (int(rev), Decimal(amount)) for number, rev, amount in rows}
        listed = self._listed("s3", "takings")
        found = [row for content in listed for row in csv.DictReader(io.StringIO(content.decode()))]
        told = {(row["channel"], int(row["hour"])): (int(row["orders"]), Decimal(row["amount"])) for row in found}
        assert len(told) == len(found)
        return orders, told

    def raw_out(self):
        """Return the tokens that went out into the other bucket, counted."""
        return Counter(
            json.loads(line)["token"] for content in self._listed("azure", "raw") for line in content.splitlines()
        )

    def _shipped(self):
        words = [
            "psql",
            "-q",
            "-A",
            "-t",
            "-F",
            " ",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.places.postgresql),
            "-U",
            "loom",
        ]
        said = subprocess.run(
            [*words, "-d", "postgres", "-c", "SELECT id, rev, amount FROM shipped"], check=True, capture_output=True,
            text=True, env={"PGPASSWORD": SECRETS["LAKELOOM_SECRET_SHOP_SECRET"], "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        return [line.split(" ") for line in said.stdout.splitlines()]

    def _listed(self, outlet, folder):
        """Return the contents of the objects that an export's manifests name."""
        _, store = self.places.outlets[outlet]
        lie = {found.key: found for found in store.find(f"{folder}/")}

        def content(key):
            found = lie[f"{folder}/{key}"]
            read = store.part(found, 0, found.size)
            return gzip.decompress(read) if key.endswith(".gz") else read

        manifest = json.loads(content("_manifest.json"))
        parts = [json.loads(content(key)) for key in manifest["manifests"]] if "manifests" in manifest else [manifest]
        keys = [each["key"] for part in parts for each in part["objects"]]
        extra = {key for key in lie if not key.rpartition("/")[2].startswith("_") and "_manifests/" not in key}
        assert extra == {f"{folder}/{key}" for key in keys}
        return [content(key) for key in keys]
