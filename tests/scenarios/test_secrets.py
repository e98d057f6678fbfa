"""No secret shows: not in Spark's pages, plans, logs, tables, errors, crash dumps, nor to who lists the processes."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests import servers
from tests.scenarios.marked import BROKEN, TABLES, Marked, below, contents, marks, shows
from tests.sources.test_direct import written


@pytest.fixture
def marked(tmp_path, databases, request):
    words, database = marks(), databases("postgresql")
    database.run(
        f"CREATE ROLE marked LOGIN PASSWORD '{words['db/word']}'", "CREATE SCHEMA marked AUTHORIZATION marked",
        "CREATE TABLE marked.planes (id bigint, tail text)", "INSERT INTO marked.planes VALUES (1, 'N1'), (2, 'N2')",
        "CREATE TABLE marked.fleet (tail text, seats int)", "INSERT INTO marked.fleet VALUES ('N1', 100), ('N2', 200)",
        "GRANT SELECT ON marked.planes, marked.fleet TO marked",
    )  # fmt: skip
    keys = {"access_key": words["store/access"], "secret_key": words["store/secret"]}
    with servers.versitygw(tmp_path, keys) as port:
        if port is None:
            pytest.skip("there is no Go to build versitygw")
        bucket = servers.S3Bucket("marked", port, keys)
        bucket.put("clicks/a.csv", b"id,word\n1,one\n")
        bucket.put("trips/a.parquet", written([1, 2]))
        yield Marked(tmp_path, int(database.url.rpartition(":")[2].partition("/")[0]), bucket, words, request.param)
    database.run("DROP SCHEMA marked CASCADE", "DROP ROLE marked")


@pytest.mark.parametrize("marked", ["folder", pytest.param("bucket", marks=pytest.mark.long)], indirect=True)
def test_a_marked_secret_shows_nowhere(marked, tmp_path):
    words = list(marked.words.values())
    assert shows(b"a" + words[0].encode(), words) == [words[0]]

    # A run that goes well, looked at in its midst.
    run = marked.begin("run", "--json")
    told = []
    try:
        marked.wait(run, lambda: (marked.vault / "held").exists() and "✓ exports.files" in marked.said()
                    and "✓ exports.fleet" in marked.said())  # fmt: skip
        pages = dict(marked.pages())
        told += [(name, shows(content, words)) for name, content in pages.items()]
        started = below(run)
        told += [(str(each), shows(line + environ, words)) for each, line, environ in started]
        told += [(place, shows(line, words)) for place, line in listed()]
        (marked.vault / "go").touch()
        assert run.wait(120) == 0, marked.said()
    finally:
        ended(run)
    assert [each for each in told if each[1]] == []
    # What was looked at has what could have shown them.
    assert any(b"java" in line for _, line, _ in started)
    properties = dict(json.loads(pages["environment"])["sparkProperties"])
    for name in ("spark.hadoop.fs.another.auth", "spark.sql.another.login"):
        assert properties[name] == "*********(redacted)"
    plans = next(content for name, content in pages.items() if name.startswith("sql?"))
    assert b"JDBCRelation" in plans and b"s3a://marked/trips" in plans

    # One that fails in every way: refused, not there, a library that quotes its login, and Spark's JVM crashes.
    wrong = marks()["db/word"]
    words.append(wrong)
    (marked.vault / "word").write_text(marked.words["db/word"])
    marked.keep("db/word", wrong)
    marked.sources(servers.free_port())
    marked.say("tables", TABLES + BROKEN)
    run = marked.begin("run", "--json", "--debug")
    try:
        marked.wait(run, lambda: (marked.vault / "held").exists() and "✗ bronze.planes" in marked.said()
                    and "✗ bronze.fleet" in marked.said())  # fmt: skip
        java = next(each for each, line, _ in below(run) if b"SparkSubmit" in line)
        os.kill(java.pid, signal.SIGSEGV)
        marked.wait(run, lambda: any("\nEND." in each.read_text(errors="replace") for each in dumps(marked)))
        (marked.vault / "go").touch()
        assert run.wait(120) == 1, marked.said()
    finally:
        ended(run)
    failed = {
        step["name"]: step for step in json.loads((marked.home / "said.out").read_text().splitlines()[-1])["steps"]
    }
    assert failed["bronze.planes"]["error"]["code"] == "LL-SOURCE-002"
    assert failed["bronze.fleet"]["error"]["code"] == "LL-SOURCE-001"
    assert failed["gold.broken"]["status"] == "failed"
    assert "File " in marked.said() and "Thread 0x" in marked.said(), "Python's dump"

    # All that both have left: logs, the event log, the dump of the JVM, the storage root, the objects.
    left = [*contents(marked.home), *contents(tmp_path / "versitygw")]
    names = " ".join(str(file) for file, _ in left)
    for each in (
        "hs_err_pid",
        "events/",
        "spark.log",
        "_delta_log",
        "intents/",
        "tables/meta",
        "said.err",
        "out/files",
    ):
        assert each in names, each
    assert [(str(file), found) for file, content in left if (found := shows(content, words))] == []


def dumps(marked):
    return list(marked.home.glob("hs_err_pid*.log"))


def listed():
    """Return what everybody on the machine sees of all processes."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield str(place), place.read_bytes()
        except OSError:
            continue  # it has ended


def ended(run):
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
