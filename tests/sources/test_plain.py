"""Plain CSV is told from what needs a parser, and Arrow makes of it what Spark does, record by record."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakeloom.sources import plain
from lakeloom.sources.inspection import inspect
from lakeloom.sources.ledger import FileEntry
from lakeloom.sources.reading import Reading
from lakeloom.sources.whole import landing

CSV = Reading("csv")


def looked(folder, content, reading=CSV, name="a.csv"):
    file = folder / name
    file.write_bytes(content)
    return inspect(name, str(file), reading)


PLAIN = {
    "lines": b"a,b\n1,2\n3,4\n",
    "no last newline": b"a,b\n1,2\n3,4",
    "windows' ends": b"a,b\r\n1,2\r\n",
    "empty values": b"a,b\n,\n,x\n",
    "blanks inside": b"a,b\n 1 , 2\n",
    "other scripts": "a,b\n日本,ü\n".encode(),
    "the header alone": b"a,b\n",
}
OTHER = {
    "a quote": b'a,b\n"1",2\n',
    "a value too few": b"a,b\n1\n",
    "a value too many": b"a,b\n1,2,3\n",
    "two that make up for each other": b"a,b\n1\n1,2,3\n",
    "an empty line": b"a,b\n\n1,2\n",
    "an empty line at the end": b"a,b\n1,2\n\n",
    "a cut-off last line": b"a,b\n1,2\n3",
    "a lone carriage return": b"a,b\n1\r,2\n",
    "a carriage return at the end": b"a,b\n1,2\r",
    "a NUL": b"a,b\n\x001,2\n",
    "a byte order mark": b"\xef\xbb\xbfa,b\n1,2\n",
    "one column": b"a\n1\n",
    "no UTF-8": b"a,b\n\xff,2\n",
    "names that need no separator": b"a\nb\n",
}


@pytest.mark.parametrize("case", PLAIN)
def test_plain_files_are_known(tmp_path, case):
    assert looked(tmp_path, PLAIN[case]).plain


@pytest.mark.parametrize("case", OTHER)
def test_all_others_are_left_to_the_parser(tmp_path, case):
    assert not looked(tmp_path, OTHER[case]).plain


@pytest.mark.parametrize(
    "options",
    [
        {"comment": "#"},
        {"multiLine": "true"},
        {"ignoreLeadingWhiteSpace": "true"},
        {"sep": " "},
        {"quote": "2"},
        {"escape": "1"},
        {"quote": "ü"},
    ],
)
def test_options_that_need_the_parser_leave_files_to_it(tmp_path, options):
    sep = options.get("sep", ",").encode()
    assert not looked(tmp_path, b"a,b\n1,2\n".replace(b",", sep), Reading("csv", options)).plain


def test_packed_files_are_left_to_the_parser(tmp_path):
    import gzip

    assert not looked(tmp_path, gzip.compress(b"a,b\n1,2\n"), name="a.csv.gz").plain


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_chunks_may_end_anywhere(tmp_path, chunk, monkeypatch):
    from lakeloom.sources import inspection

    monkeypatch.setattr(inspection, "CHUNK_BYTES", chunk)
    assert {case for case in PLAIN if looked(tmp_path, PLAIN[case]).plain} == set(PLAIN)
    assert not {case for case in OTHER if looked(tmp_path, OTHER[case]).plain} - {"a byte order mark"}


def test_an_entry_says_so_where_it_is_and_only_there(tmp_path):
    found = looked(tmp_path, b"a,b\n1,2\n")
    assert found.as_dict()["plain"] is True and FileEntry(**found.as_dict()).plain
    assert "plain" not in looked(tmp_path, b'a,b\n"1",2\n').as_dict()


VALUES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters='",\n\r\0\ufeff'), max_size=6)
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ROWS, min_size=1, max_size=4), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.integers(5, 200))
def test_arrow_reads_what_spark_reads(spark, tmp_path, files, ended, newline, split_bytes):
    files = [rows or [("", "", "")] for rows in files]
    entries = []
    for number, rows in enumerate(files):
        text = newline.join(",".join(row) for row in [("x", "y y", "_z"), *rows]) + (newline if ended else "")
        entry = looked(tmp_path, text.encode(), name=f"{number}.csv")
        assert entry.plain, text
        entries.append(entry)
    by_spark = landing(spark.newSession(), CSV, {}, entries, split_bytes, tmp_path)
    assert not by_spark.broken.count()
    wanted = sorted(
        tuple(row) for row in by_spark.good.select("_file_no", "_record", *["_file", "x", "y_y", "raw_z"]).collect()
    )
    found = []
    for job in plain.jobs(dict(enumerate(entries)), CSV, split_bytes, 2, tmp_path):
        for table in job.tables():
            assert table.column_names == ["x", "y_y", "raw_z", "_file", "_file_no", "_record"]
            columns = [table[name].to_pylist() for name in ["_file_no", "_record", *["_file", "x", "y_y", "raw_z"]]]
            found += zip(*columns, strict=True)
    assert sorted(found, key=str) == sorted(wanted, key=str)


def test_a_file_without_names_has_its_first_line_as_a_record(tmp_path):
    reading = Reading("csv", {"header": "false", "sep": ";"}, names=("a", "b"))
    entry = looked(tmp_path, b"1;2\n3;4\n", reading)
    assert entry.plain
    (job,) = plain.jobs({0: entry}, reading, 1 << 20, 2, tmp_path)
    (table,) = job.tables()
    assert table.select(["a", "b", "_record"]).to_pylist() == [
        {"a": "1", "b": "2", "_record": 0},
        {"a": "3", "b": "4", "_record": 1},
    ]


def test_blocks_of_a_large_file_go_on_where_the_last_one_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(plain, "_BLOCK_BYTES", 50)
    entry = looked(tmp_path, b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(200)))
    (job,) = plain.jobs({0: entry}, CSV, 1 << 20, 1, tmp_path)
    tables = list(job.tables())
    assert len(tables) > 10
    assert [each for table in tables for each in table["_record"].to_pylist()] == list(range(1, 201))
    assert [each for table in tables for each in table["b"].to_pylist()] == [str(n * n) for n in range(200)]


def test_a_file_that_is_another_one_by_now_fails_without_a_word_of_it(tmp_path):
    entry = looked(tmp_path, b"a,b\n1,2\n")
    (tmp_path / "a.csv").write_bytes(b"a,b\nsecret\n1,2\n")
    (job,) = plain.jobs({0: entry}, CSV, 1 << 20, 1, tmp_path)
    with pytest.raises(RuntimeError, match="no longer the plain text") as told:
        list(job.tables())
    assert "secret" not in str(told.value) and told.value.__suppress_context__ is False


def test_columns_of_other_types_and_little_bytes_are_left_to_spark(tmp_path, monkeypatch):
    from pyspark.sql.types import IntegerType, StringType

    entry = looked(tmp_path, b"a,b\n1,2\n")
    assert plain.apart([entry], {}, {}) == {}
    monkeypatch.setattr(plain, "FROM_BYTES", 1)
    assert plain.apart([entry], {"a": "string"}, {"b": StringType()}) == {0: entry}
    assert plain.apart([entry], {"a": "int"}, {}) == {}
    assert plain.apart([entry], {"other": "int"}, {"other": IntegerType()}) == {0: entry}
    assert plain.apart([entry], {}, {"b": IntegerType()}) == {}
