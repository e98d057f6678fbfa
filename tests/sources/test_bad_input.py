"""Bad input, as the issue lists it: each goes to quarantine or is a coded error, nothing else is affected.

What is large is reduced here by smaller limits; the tests marked long take the full size, and bound the memory.
What a store's objects suffer from stands in tests/objects, what a database does in the tests of JDBC.
"""

import bz2
import io
import json
import lzma
import os
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from lakeloom.sources import packed, scanners
from lakeloom.sources.files import Files
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.inspection import Reading, inspect
from lakeloom.sources.packed import PackedError, unpack
from tests.sources.test_avro import avro, field, record
from tests.sources.test_formats import landed, put
from tests.sources.test_packed import by_arrow, tarred, zipped
from tests.sources.test_protobuf import NEWER, ORDER_V2, described, framed, orders
from tests.sources.test_xlsx import changed, workbook


def look(folder, name, content, kind="csv", **words):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return inspect(name, str(folder / name), Reading(kind, **words)).problem


def reasons(broken):
    return [reason for row in broken for reason in row["reasons"]]


# --- zip bombs, and paths that climb


@pytest.mark.long
@pytest.mark.parametrize("name", ["a.zip", "a.csv.bz2", "a.csv.zst", "a.tar.xz"])
def test_a_bomb_of_the_full_size_is_ended_at_a_gibibyte(tmp_path, name):
    zeros = bytes(256 << 20)
    if name == "a.zip":
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(12):
                archive.writestr(f"{number}.csv", zeros)
    else:
        pack = {"a.csv.bz2": bz2.compress, "a.csv.zst": by_arrow("zstd"), "a.tar.xz": lambda each: lzma.compress(tarred({"a.csv": each}))}[name]  # fmt: skip
        one = pack(zeros)
        (tmp_path / name).write_bytes(one * 12 if name != "a.tar.xz" else pack(bytes(1200 << 20)))
    assert (tmp_path / name).stat().st_size < 10 << 20
    with pytest.raises(PackedError, match="thousand times"):
        unpack(tmp_path / name, tmp_path / "zone" / "abc")
    assert not any((tmp_path / "zone").iterdir())


def test_a_bomb_and_what_climbs_affect_nothing_else(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "_HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr(packed, "_MOST", 10)
    put(tmp_path, "a.zip", zipped({"a.csv": bytes(32 << 20)}))
    put(
        tmp_path,
        "b.zip",
        zipped({"../../../climbs.csv": "id\n1\n", "/etc/abs.csv": "id\n2\n", "..\\win.csv": "id\n3\n"}),
    )
    put(tmp_path, "c.csv", "id\n4\n")
    made = FilesConfig(kind="files", path="in/*", format="csv").located(tmp_path / "zone", None)
    batch = Files.poll(made, [], None, lambda: spark, tmp_path)
    batch = Files.bring(made, batch, list, lambda: spark, tmp_path)
    found = Files.read(spark.newSession(), made, batch, None, tmp_path)
    assert sorted(row.id for row in found.good.collect()) == ["1", "2", "3", "4"]
    assert [row.reasons for row in found.broken.collect()] == [["it unpacks to more than a thousand times its size"]]
    assert not list(tmp_path.rglob("*climbs*")) and not Path("/etc/abs.csv").exists()


def test_a_workbook_that_is_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "_HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr(packed, "_MOST", 10)
    bomb = changed(workbook([["a"], [1]]), find="</sheetData>", put=" " * (32 << 20) + "</sheetData>")
    assert look(tmp_path, "a.xlsx", bomb, "xlsx") == "it unpacks to more than a thousand times its size"


# --- XML entity bombs: see also test_xsd.py


def test_an_entity_bomb_beside_a_sound_file(spark, tmp_path):
    bomb = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><r><row><a>&b;</a></row></r>'
    put(tmp_path, "a.xml", bomb)
    put(tmp_path, "b.xml", "<r><row><a>1</a></row></r>")
    good, broken = landed(spark, tmp_path, format="xml", row_tag="row")
    assert [row["a"] for row in good] == ["1"]
    assert reasons(broken) == ["it declares entities, which are refused"] and bytes(broken[0]["bytes"]) == bomb.encode()


# --- one line without an end


LONG_RECORDS = {
    "csv": ("csv", {}, b"id,word\n1,", b"x", b"\n2,y\n"), "json": ("json", {}, b'{"a":"', b"x", b'"}\n{"a":"y"}\n'),
    "text": ("text", {}, b"", b"x", b"\ny\n"), "fixed": ("fixed", {"names": ("a",), "fields": (("a", 1, 2),)}, b"", b"x", b"\nyy\n"),
    "a quote that stays open": ("csv", {"options": {"multiLine": "true"}}, b'id\n"', b"x\n", b"2\n"),
    "an attribute": ("xml", {"row_tag": "r"}, b'<l><r a="', b"x", b'"/><r/></l>'),
    "an element": ("xml", {"row_tag": "r"}, b"<l><r><a>", b"x", b"</a></r><r/></l>"),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG_RECORDS)
def test_a_line_without_an_end_is_a_problem_of_its_file(tmp_path, monkeypatch, name):
    kind, words, begin, part, end = LONG_RECORDS[name]
    monkeypatch.setattr(scanners, "LONGEST_RECORD_BYTES", 3 << 20)
    assert look(tmp_path, "a", begin + part * ((2 << 20) // len(part)) + end, kind, **words) is None
    assert look(tmp_path, "b", begin + part * ((6 << 20) // len(part)) + end, kind, **words) == scanners.TOO_LONG


@pytest.mark.long
@pytest.mark.parametrize("name", LONG_RECORDS)
def test_a_line_of_two_gigabytes_takes_little_memory(tmp_path, name):
    kind, words, begin, part, end = LONG_RECORDS[name]
    with (tmp_path / "a").open("wb") as file:
        file.write(begin)
        for _ in range(2048):
            file.write(part * ((1 << 20) // len(part)))
        file.write(end)
    code = (
        "import sys, resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from lakeloom.sources.inspection import Reading, inspect\n"
        f"found = inspect('a', {str(tmp_path / 'a')!r}, Reading({kind!r}, **{words!r}))\n"
        # Not getrusage: what it tells begins with the peak of the process that started this one.
        "from pathlib import Path\n"
        "peak = next(line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM'))\n"
        "print(found.problem); print(peak.split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    problem, peak_kib = done.stdout.splitlines()
    assert problem == scanners.TOO_LONG
    assert int(peak_kib) < 600 << 10


@pytest.mark.long
def test_what_is_just_below_the_limit_lands_beside_two_gigabytes_that_do_not(spark, tmp_path):
    put(tmp_path, "a.csv", b"id,word\n1," + b"x" * (60 << 20) + b"\n2,y\n")
    with (tmp_path / "in" / "b.csv").open("wb") as file:
        file.write(b"id,word\n3,")
        for _ in range(2048):
            file.write(b"x" * (1 << 20))
    good, broken = landed_sizes(spark, tmp_path)
    assert good == [("1", 60 << 20), ("2", 1)]
    assert broken == [(f"{scanners.TOO_LONG}; too large to keep, it stays where it lies", None)]


def landed_sizes(spark, base):
    made = FilesConfig(kind="files", path="in/*", format="csv")
    found = Files.read(spark.newSession(), made, Files.poll(made, [], None, lambda: spark, base), None, base)
    good = [tuple(row) for row in found.good.selectExpr("id", "length(word)").orderBy("id").collect()]
    return good, [(row.reasons[0], row.bytes) for row in found.broken.collect()]


# --- NUL bytes and mixed encodings


def test_nul_bytes_are_values_or_are_refused_and_shift_nothing(spark, tmp_path):
    put(tmp_path, "a.csv", b"id,word\n1,a\x00b\n\x00\n2,c\n")
    put(tmp_path, "b.csv", bytes(1000))
    put(tmp_path, "c.csv", b"i\x00d,word\n3,x\n")
    good, broken = landed(spark, tmp_path, format="csv", columns={"id": "int"})
    assert [(row["id"], row["word"]) for row in good] == [(1, "a\x00b"), (2, "c")]
    assert reasons(broken) == ["malformed csv record"] + ["a name of the header holds control characters"] * 2
    assert broken[0]["raw"] == "\x00" and bytes(broken[1]["bytes"]) == bytes(1000)


def test_nul_bytes_in_json_and_xml(spark, tmp_path):
    put(tmp_path, "a.json", b'{"a":"x\x00y"}\n{"a":"z\\u0000"}\n')
    good, broken = landed(spark, tmp_path, format="json")
    assert [row["a"] for row in good] == ["z\x00"]
    assert [(row["raw"], row["reasons"]) for row in broken] == [('{"a":"x\x00y"}', ["malformed json record"])]
    assert (
        look(tmp_path, "a.xml", b"<l><r><a>\x00</a></r></l>", "xml", row_tag="r")
        == "the XML is not well-formed (line 1)"
    )


def test_a_file_in_two_encodings_is_kept_whole(spark, tmp_path):
    mixed = "id,word\n1,Zoë\n".encode() + "2,Zoë\n".encode("latin-1")
    put(tmp_path, "a.csv", mixed)
    put(tmp_path, "b.csv", "id,word\n3,ü\n")
    good, broken = landed(spark, tmp_path, format="csv")
    assert [row["word"] for row in good] == ["ü"]
    assert reasons(broken) == ["the file is not UTF-8"] and bytes(broken[0]["bytes"]) == mixed


# --- JSON nested 5,000 deep, numbers without end


def test_json_nested_5000_deep_is_one_broken_record(spark, tmp_path):
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    put(tmp_path, "a.json", f'{{"a":1}}\n{deep}\n{{"a":"{"[" * 5000}"}}\n')
    put(tmp_path, "b.json", deep)
    good, broken = landed(spark, tmp_path, format="json")
    assert [row["a"] for row in good] == ["1", "[" * 5000]
    assert [(row["raw"], row["reasons"]) for row in broken] == [
        (deep, ["malformed json record"]), (None, ["no line is a JSON object"]),
    ]  # fmt: skip


def test_numbers_beyond_38_digits_keep_their_digits_or_do_not_fit(spark, tmp_path):
    long, exact, tiny = "9" * 60, "1" * 38, "0." + "1" * 60
    put(tmp_path, "a.csv", f"n,as_it_is\n{long},{long}\n{exact},{tiny}\n{long}.5,1e999\n")
    good, broken = landed(spark, tmp_path, format="csv", columns={"n": "decimal(38,0)"})
    assert [(str(row["n"]), row["as_it_is"]) for row in good] == [(exact, tiny)]
    assert reasons(broken) == ["n: not decimal(38,0)"] * 2


def test_json_numbers_that_a_double_does_not_hold_are_kept_out(spark, tmp_path):
    long, exact, tiny = "9" * 60, "1" * 38, "0." + "1" * 60
    lost = [f'{{"n":{tiny}}}', '{"n":1e999}', f'{{"n":[1, {{"a":-{exact}.5}}]}}', f'{{"n":"\\"","m":0.{exact}}}']
    kept = [f'{{"n":{long}}}', '{"n":0.30000000000000004}', '{"n":0.00000000000000000001}']
    kept += [f'{{"n":"{tiny}"}}', '{"n":"1e999"}', f'{{"n":"1,{tiny}"}}']
    put(tmp_path, "a.json", "\n".join(kept + lost))
    good, broken = landed(spark, tmp_path, format="json")
    assert [row["n"] for row in good] == [long, "0.30000000000000004", "1.0E-20", tiny, "1e999", f"1,{tiny}"]
    assert [(row["raw"], row["reasons"]) for row in broken] == [
        (text, ["a number has more digits than are kept; write it as a string"]) for text in lost
    ]  # fmt: skip


def test_a_parquet_file_of_76_digits_is_kept_whole(spark, tmp_path):
    sink = io.BytesIO()
    parquet.write_table(pa.table({"n": pa.array([10**50], pa.decimal256(60, 0))}), sink)
    put(tmp_path, "a.parquet", sink.getvalue())
    put(tmp_path, "b.parquet", table(n=[1]))
    good, broken = probed(spark, tmp_path, "parquet")
    assert [row["n"] for row in good] == [1]
    assert len(broken) == 1 and bytes(broken[0]["bytes"]) == sink.getvalue()


def table(**columns):
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def probed(spark, base, kind):
    """Return good and broken rows as a landing does it: where the read fails, the files it fails for are found."""
    made = FilesConfig(kind="files", path="in/*", format=kind)
    session = spark.newSession()
    batch = Files.poll(made, [], None, lambda: spark, base)
    try:
        found = Files.read(session, made, batch, None, base)
        rows = [row.asDict() for row in found.good.collect()]
    except Exception:
        found = Files.read(session, made, Files.probe(session, made, batch, base), None, base)
        rows = [row.asDict() for row in found.good.collect()]
    return rows, [] if found.broken is None else [row.asDict() for row in found.broken.collect()]


# --- dates in year 0 and 10000


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_dates_outside_of_the_years_1_to_9999_do_not_fit(spark, tmp_path, kind):
    days = ["0000-01-01", "0001-01-03", "9999-12-30", "10000-01-01", "-0001-01-01", "+12345-01-01"]
    put(tmp_path, "a.csv", "day\n" + "\n".join(days) + "\n")
    good, broken = landed(spark, tmp_path, format="csv", columns={"day": kind})
    assert [row["day"].isoformat()[:10] for row in good] == ["0001-01-03", "9999-12-30"]
    assert [row["raw"] for row in broken] == [days[0], *days[3:]] and set(reasons(broken)) == {f"day: not {kind}"}


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_dates_that_came_as_such_are_looked_at_where_they_may_be_strange(spark, tmp_path, kind):
    from pyarrow import orc

    days = pa.array([-719529, 0, 2932897, None], pa.int32()).cast(pa.date32())
    times = pa.array([0, 0, 0, 2932897 * 86_400_000_000], pa.int64()).cast(
        pa.timestamp("us", "UTC" if kind == "parquet" else None)
    )
    for name, rows in (
        ("a", pa.table({"id": [1, 2, 3, 4], "day": days, "at": times})),
        ("b", pa.table({"id": [5], "day": [date(2024, 1, 1)]})),
    ):
        sink = io.BytesIO()
        (parquet if kind == "parquet" else orc).write_table(rows, sink)
        put(tmp_path, f"{name}.{kind}", sink.getvalue())
    good, broken = landed(spark, tmp_path, format=kind)
    assert [(row["id"], row["day"]) for row in good] == [(2, date(1970, 1, 1)), (5, date(2024, 1, 1))]
    assert [(json.loads(row["raw"])["id"], row["reasons"]) for row in broken] == [
        (1, ["day: not date"]), (3, ["day: not date"]), (4, ["at: not timestamp"]),
    ]  # fmt: skip


# --- a Parquet file that lies about its size


def varint(number):
    number, out = number << 1, b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def lies():
    sound = table(id=list(range(1000)), word=[f"w{n}" for n in range(1000)])
    footer = int.from_bytes(sound[-8:-4], "little")
    told = sound[-8 - footer : -8]
    more = told.replace(b"\x16" + varint(1000), b"\x16" + varint(8191))  # rows, in the file's and the group's footer
    assert len(more) == len(told) and more != told
    return {
        "its footer is longer than the file": sound[:-8] + (1 << 31).to_bytes(4, "little", signed=False) + b"PAR1",
        "it has more rows than its pages": sound[: -8 - footer] + more + sound[-8:],
        "its pages are not where it says": sound[:4] + sound[204:],
        "its pages are cut": sound[:200] + b"\0" * (len(sound) - 208 - footer) + sound[-8 - footer :],
    }


@pytest.mark.parametrize("name", lies())
def test_a_parquet_file_that_lies_about_its_size_is_kept_whole(spark, tmp_path, name):
    put(tmp_path, "a.parquet", lies()[name])
    put(tmp_path, "b.parquet", table(id=[7], word=["x"]))
    good, broken = probed(spark, tmp_path, "parquet")
    assert [row["id"] for row in good] == [7]
    assert len(broken) == 1 and bytes(broken[0]["bytes"]) == lies()[name]


# --- an Avro schema that forks, a Protobuf of an unknown version: see also test_avro.py and test_protobuf.py


def test_an_avro_schema_that_forks_from_what_is_stored_breaks_its_records_alone(spark, tmp_path):
    put(
        tmp_path,
        "a.avro",
        avro(
            record(field("id", "string"), field("word", "string")), [{"id": "7", "word": "x"}, {"id": "y", "word": "z"}]
        ),
    )
    made = FilesConfig(kind="files", path="in/*", format="avro")
    known = spark.createDataFrame([], "id bigint, word string, _file string")
    batch = Files.poll(made, [], None, lambda: spark, tmp_path)
    found = Files.read(spark.newSession(), made, batch, known, tmp_path)
    assert [(row.id, row.word) for row in found.good.collect()] == [(7, "x")]
    assert [(row.raw, row.reasons) for row in found.broken.collect()] == [('{"id":"y","word":"z"}', ["id: not bigint"])]


def test_a_message_of_a_later_version_is_kept_until_its_descriptor_is_there(spark, tmp_path):
    (tmp_path / "order.pb").write_bytes(described())
    put(tmp_path, "a.pb", framed(*orders(1), ORDER_V2(id=2, coupon="x")))
    words = {"format": "protobuf", "descriptor": "order.pb", "message": "shop.Order"}
    good, broken = landed(spark, tmp_path, **words)
    assert [row["id"] for row in good] == [1] and reasons(broken) == ["its descriptor does not know field 20"]
    (tmp_path / "order.pb").write_bytes(described(NEWER))
    good, broken = landed(spark, tmp_path, **words)
    assert [(row["id"], row["coupon"]) for row in good] == [(1, ""), (2, "x")] and broken == []


# --- names with every legal character


def test_files_whose_names_hold_every_legal_character(spark, tmp_path):
    signs = [chr(code) for code in range(1, 128) if chr(code) != "/"] + list(
        "é漢\u2028\u200b\u202e\u00a0\U0001f600\ufeff"
    )
    for number, sign in enumerate(signs):
        put(tmp_path, f"x{sign}y.csv", f"n,sign\n{number},{ord(sign)}\n")
    put(tmp_path, "n" * 251 + ".csv", f"n,sign\n{len(signs)},0\n")
    (tmp_path / "in" / os.fsdecode(b"\xff\xfe.csv")).write_text("n,sign\nnever,0\n")
    (tmp_path / "in" / "e:mpty.csv").write_text("")
    (tmp_path / "in" / "b:ad.csv").write_bytes(b"n,\xff\n")
    (tmp_path / "in" / "b:ad.zip").write_bytes(b"PK")
    made = FilesConfig(kind="files", path="in/*", format="csv").located(tmp_path / "zone", None)
    batch = Files.poll(made, [], None, lambda: spark, tmp_path)
    batch = json.loads(json.dumps(Files.bring(made, batch, list, lambda: spark, tmp_path)))
    found = Files.read(spark.newSession(), made, batch, None, tmp_path)
    rows = found.good.collect()
    assert sorted(int(row.n) for row in rows) == list(range(len(signs) + 1))
    kept = {row._file: (row.reasons[0], bytes(row.bytes)) for row in found.broken.collect()}
    assert kept == {
        "in/e:mpty.csv": ("the file is empty", b""), "in/b:ad.csv": ("the file is not UTF-8", b"n,\xff\n"),
        "in/b:ad.zip": ("it is no zip, is cut off or damaged", b"PK"),
    }  # fmt: skip
    names = {row.n: row._file for row in rows}
    assert all(names[str(number)] == f"in/x{sign}y.csv" for number, sign in enumerate(signs))
    assert batch["refused"] == [
        "LL-SOURCE-004: 1 file has a name that is no UTF-8 and was left where it lies: in/\\xff\\xfe.csv"
    ]
