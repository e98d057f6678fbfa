"""Inspection: header and soundness of files, without Spark."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.inspection import CHUNK_BYTES, Reading, inspect

CSV = Reading("csv")
JSON = Reading("json")
XML = Reading("xml", row_tag="row")


def look(folder: Path, name: str, data: bytes, reading: Reading = CSV):
    (folder / name).write_bytes(data)
    return inspect(name, str(folder / name), reading)


@pytest.mark.parametrize(
    ("name", "data", "reading", "problem"),
    [
        ("a.csv", b"", CSV, "the file is empty"),
        ("a.csv.gz", b"", CSV, "the file is empty"),
        ("b.csv.gz", gzip.compress(b""), CSV, "the file is empty"),
        ("c.csv.gz", gzip.compress(b"a,b\n1,2\n" * 9)[:-9], CSV, "the gzip is truncated"),
        ("d.csv.gz", b"a,b\n1,2\n", CSV, "it is not gzip, or is damaged"),
        ("e.csv", "a,b\n1,ü\n".encode("latin-1"), CSV, "the file is not UTF-8"),
        ("f.csv", b"a,b\n1,\xc3", CSV, "the file is not UTF-8"),
        ("g.csv", b"a,A\n1,2\n", CSV, "two columns are called 'a' and 'A'"),
        ("h.csv", b"a,\n1,2\n", CSV, "a column of the header has no name"),
        ("i.csv", b"\na\n", CSV, "the first line is no header"),
        ("j.csv", b"b\n1\n", Reading("csv", required=("a",)), "the header lacks a"),
        ("k.csv.deflate", b"\x78\x9c", CSV, "deflate compression is not read; use gzip or zstd"),
        ("l.json", b"[\n1]\n", JSON, "no line is a JSON object"),
        ("m.xml", b"<r><row><a>1</a></row>", XML, "the XML is not well-formed (line 1)"),
        ("n.xml", b"<r></r>", XML, "there is no <row> element"),
        ("o.parquet", b"PAR1 and no more", Reading("parquet"), "it is not Parquet, or is truncated"),
    ],
)
def test_what_a_file_can_suffer_from(tmp_path, name, data, reading, problem):
    assert look(tmp_path, name, data, reading).problem == problem


def test_headers(tmp_path):
    assert look(tmp_path, "a.csv", b'\xef\xbb\xbfa,"b ""c""", d\r\n1,2,3\r\n').header == ("a", 'b "c"', "d")
    assert look(tmp_path, "a.json", b'{"a":1}\n\nnonsense\n{"b":[1],"a":2}', JSON).header == ("a", "b")
    xml = b'<r><row id="1"><m>1</m><m>2</m></row><row><n/></row></r>'
    assert look(tmp_path, "a.xml", xml, XML).header == ("attr_id", "m[]", "n")


def test_content_is_that_of_the_decompressed_bytes(tmp_path):
    data = b"a\n" + b"1\n" * 1000
    ids = {look(tmp_path, f"{level}.csv.gz", gzip.compress(data, level)).content for level in (1, 9)}
    assert ids == {look(tmp_path, "plain.csv", data).content}


def test_lines_and_characters_across_chunks(tmp_path):
    data = b'{"a":"' + b"x" * (CHUNK_BYTES - 7) + "ü".encode() + b'"}\n{"b":1}\n'
    found = look(tmp_path, "a.json", data, JSON)
    assert (found.header, found.problem) == (("a", "b"), None)


def test_a_file_that_is_still_being_written_is_left_for_the_next_poll(tmp_path, monkeypatch):
    from lakeloom.sources import inspection

    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n1\n")
    whole = inspection._pass

    def grow(*args):
        found = whole(*args)
        with path.open("ab") as file:
            file.write(b"2\n")
        return found

    monkeypatch.setattr(inspection, "_pass", grow)
    assert inspect("a.csv", str(path), CSV) is None


def test_a_file_that_can_not_be_opened_is_a_coded_error(tmp_path):
    with pytest.raises(SourceError) as caught:
        inspect("gone.csv", os.fspath(tmp_path / "gone.csv"), CSV)
    assert caught.value.code == "LL-SOURCE-001"
    assert caught.value.transient
