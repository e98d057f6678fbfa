"""Benchmarks: ``python -m benchmarks NAME`` measures one, without NAME all; the page is ``docs/results.md``.

One file a bench with ``measure() -> Result``. They measure the demo project of this checkout on real
data; nothing here is part of lakeloom.
"""

BENCHES = {
    "protocols": "benchmarks.protocols:measure",
    "main_job": "benchmarks.main_job:measure",
    "cli": "benchmarks.cli:measure",
    "setup": "benchmarks.setup:measure",
    "start": "benchmarks.start:measure",
    "overhead": "benchmarks.overhead:measure",
    "merge": "benchmarks.merge:measure",
    "tests": "benchmarks.tests:measure",
    "growth": "benchmarks.growth:measure",
    "cluster": "benchmarks.cluster:measure",
    "quality": "benchmarks.quality:measure",
    "engine": "benchmarks.engine:measure",
    "upkeep": "benchmarks.upkeep:measure",
    "rows": "benchmarks.rows:measure",
    "lineage": "benchmarks.lineage:measure",
    "tpc": "benchmarks.tpc:measure",
    "diff": "benchmarks.diff:measure",
    "branches": "benchmarks.branches:measure",
    "latency": "benchmarks.latency:measure",
    "nothing_new": "benchmarks.nothing_new:measure",
    "small_files": "benchmarks.small_files:measure",
    "jdbc": "benchmarks.jdbc:measure",
    "campaign": "benchmarks.campaign.sources:measure",
}
