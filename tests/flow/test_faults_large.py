"""Tables of very many columns, and of very many small files: reduced by default, in full size among the long tests.

The seconds of each part are in the test's output (``pytest -rP``); limits are wide, so that they hold on a
busy machine, and still catch what grows with the square.
"""

import json
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lakeloom
from lakeloom.cli.app import app
from tests.flow.stream import Stream


@pytest.fixture
def timed():
    """Give a context manager that notes how many seconds its block took."""
    took = {}

    @contextmanager
    def note(name):
        began = time.monotonic()
        yield
        took[name] = round(time.monotonic() - began, 1)

    note.took = took
    yield note
    print(json.dumps(took))


def call(*words):
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.stderr or done.stdout
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "columns", [300, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=["few", "full"]
)
def test_very_many_columns(tmp_path, spark, monkeypatch, timed, columns):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    names = [f"c{number}" for number in range(columns)]
    contract = "".join(f"      {name}: int\n" for name in names)
    rules = "".join(f"      - {{column: {name}, expect: values_between, min: 0}}\n" for name in names[:: columns // 50])
    stream = Stream(tmp_path, {}, f"""\
tables:
  silver.wide:
    from: {{bronze.changes: new}}
    clean: [{{parse: {{column: id, type: int}}}}]
    keys: [id]
    evolve: add
    write: {{mode: merge, sequence_by: _position}}
    columns:
      id: int
{contract}    rules:
{rules}""")  # fmt: skip
    (stream.folder / "sources.yml").write_text("sources:\n  changes: {kind: files, path: in/*.csv, format: csv}\n")
    folder = tmp_path / "in"
    folder.mkdir()

    def put(name, *ids):
        lines = [",".join([str(key), *(str((key * number) % 1000) for number in range(columns))]) for key in ids]
        (folder / f"{name}.csv").write_text("\n".join([",".join(["id", *names]), *lines]) + "\n")

    put("1", 1, 2, 3)
    with timed("check"):
        assert stream.findings() == []
    with timed("land"):
        stream.done("bronze.changes")
    with timed("first write"):
        done = stream.done("silver.wide")["silver.wide"]
    assert (done.rows_out, done.quarantined) == (3, 0)
    put("2", 3, 4)
    with timed("land again"):
        stream.done("bronze.changes")
    with timed("merge"):
        done = stream.done("silver.wide")["silver.wide"]
    assert done.rows_out == 2
    conf = str(tmp_path / "conf")
    with timed("plan"):
        assert {step["action"] for step in call("plan", "--conf", conf)["steps"]} == {"skip"}
    with timed("show"):
        shown = call("show", "silver.wide", "--conf", conf)
    assert len(shown["data"]) == 4 and len(shown["columns"]) >= columns + 1
    with timed("sql"):
        last = names[-1]
        told = call("sql", f"select id, {last} from silver.wide order by id", "--conf", conf)
    assert [row[last] for row in told] == [(key * (columns - 1)) % 1000 for key in (1, 2, 3, 4)]
    with timed("tables"):
        assert {"silver.wide", "bronze.changes"} <= {each["name"] for each in call("tables", "--conf", conf)}
    assert timed.took["check"] + timed.took["plan"] + timed.took["show"] < 3 + columns / 50, timed.took


FILES = """\
tables:
  silver.small:
    from: {bronze.changes: new}
    sql: select cast(id as bigint) as id, v from bronze.changes
    keys: [id]
    write: {mode: merge}
    columns: {id: bigint, v: string}
  gold.count:
    from: {silver.small: whole}
    sql: select count(*) as n, count(distinct v) as v from silver.small
"""


def scatter(table, count):
    """Add `count` rows to a table, a file for each, in one commit: as a writer would that never puts any together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = Path(table)
    entries = [{"commitInfo": {"timestamp": int(time.time() * 1000), "operation": "WRITE", "operationParameters": {}}}]
    schema = pa.schema([("id", pa.int64()), ("v", pa.string())])
    for number in range(1, count + 1):
        file = place / f"part-{number:06d}.parquet"
        pq.write_table(pa.table({"id": [number], "v": ["old"]}, schema=schema), file, compression="none")
        bounds = {"id": number, "v": "old"}
        stats = {"numRecords": 1, "minValues": bounds, "maxValues": bounds, "nullCount": {"id": 0, "v": 0}}
        entries.append({"add": {"path": file.name, "partitionValues": {}, "size": file.stat().st_size,
                                "modificationTime": 0, "dataChange": True, "stats": json.dumps(stats)}})  # fmt: skip
    log = place / "_delta_log"
    version = len(list(log.glob("*.json")))
    (log / f"{version:020d}.json").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


@pytest.mark.parametrize(
    "files", [500, pytest.param(100_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=["few", "full"]
)
def test_very_many_small_files(tmp_path, spark, monkeypatch, timed, files):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    stream = Stream(tmp_path, {"id": "string", "v": "string"}, FILES)
    stream.drop({"id": "0", "v": "first"})
    stream.done("+silver.small")
    scatter(stream.lake.path("silver.small"), files)
    stream.drop({"id": str(files // 2), "v": "new"}, {"id": str(files + 7), "v": "new"})
    conf = str(tmp_path / "conf")
    with timed("plan"):
        assert len(call("plan", "--conf", conf)["steps"]) == 3
    with timed("merge"):
        done = stream.done("+silver.small")["silver.small"]
    assert done.rows_out == 2
    assert any(text.startswith("small files: ") for text in done.warnings)
    assert any("another writer changed silver.small" in text for text in done.warnings)
    removed = stream.lake.history("silver.small", 1)[0]["metrics"]["numTargetFilesRemoved"]
    assert int(removed) == 1  # of all files, the one that holds the key was read and written anew
    with timed("tables"):
        (found,) = [each for each in call("tables", "--conf", conf) if each["name"] == "silver.small"]
    assert found["rows"] == files + 2
    with timed("size"):
        assert stream.lake.size("silver.small").files >= files
    with timed("show"):
        assert len(call("show", "silver.small", "--conf", conf)["data"]) == 20
    with timed("sql"):
        (row,) = call("sql", "select count(*) as n, sum(id) as s from silver.small", "--conf", conf)
    assert row == {"n": files + 2, "s": files * (files + 1) // 2 + files + 7}
    with timed("read by Spark"):
        stream.done("gold.count")
    assert stream.table("gold.count", "n", "v") == [(files + 2, 3)]
    assert lakeloom.open(tmp_path / "conf").table("silver.small").size.rows == files + 2
    assert timed.took["plan"] + timed.took["tables"] + timed.took["show"] < 10 + files / 500, timed.took
