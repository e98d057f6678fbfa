"""What a file holds, by its first bytes: formats, encodings, and what is refused with what to do instead."""

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.looking.contents import contents


def test_formats_are_told_by_their_bytes():
    assert contents("a.csv", b"id,name\n1,Ada\n").as_entry() == {"format": "csv"}
    assert contents("a.data", b"id;name\n1;Ada\n").as_entry() == {"format": "csv", "options": {"sep": ";"}}
    assert contents("a", b'{"id": 1}\n{"id": 2}\n').as_entry() == {"format": "json"}
    assert contents("a.parquet", b"PAR1\x15\x00").format == "parquet"
    assert contents("part-0", b"ORC\x0a").format == "orc"
    assert contents("a", b"Obj\x01\x04").format == "avro"
    assert contents("a.xlsx", b"PK\x03\x04\x14").format == "xlsx"
    assert contents("a.log", b"started\nended\n").format == "text"
    assert contents("names.csv", b"name\nAda\nBob\n").as_entry() == {"format": "csv"}
    assert contents("a.png", b"\x89PNG\r\n").format == "binary"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("<?xml version='1.0'?><rows><row><a>1</a></row><row><a>2</a></row></rows>", "row"),
        ("<feed><head/><items><item id='1'/><item id='2'/></items></feed>", "item"),
        ("<rows><row><a>1</a></row></rows>", "row"),
        ("<rows><row><a>1</a></row><row><a>", "row"),
    ],
)
def test_the_element_of_a_row_is_the_outermost_that_repeats(text, tag):
    assert contents("a.xml", text.encode()).as_entry() == {"format": "xml", "row_tag": tag}


@pytest.mark.parametrize(
    ("encoded", "encoding", "guessed"),
    [
        ("a;b\nGrüße;1\n".encode(), "utf-8", False),
        ("a;b\nGrüße;1\n".encode("utf-8-sig"), "utf-8", False),
        ("a;b\nGrüße;1\n".encode("cp1252"), "cp1252", True),
        (b"a;b\nx\x90y;1\n", "latin-1", True),
        ("a;b\nGrüße;1\n".encode("utf-16"), "utf-16", False),
        ("a;b\nGrüße;1\n".encode("utf-16-le"), "utf-16-le", True),
        # A letter was cut off where the looking ended.
        ("a;b\n1;ü".encode()[:-1], "utf-8", False),
    ],
)
def test_encodings_are_told_and_a_guess_is_said_to_be_one(encoded, encoding, guessed):
    found = contents("a.csv", encoded)
    assert (found.encoding, bool(found.guessed)) == (encoding, guessed)
    assert (found.format, found.options["sep"]) == ("csv", ";")


@pytest.mark.parametrize(
    ("name", "head", "says"),
    [
        ("a.csv", b" \n", "is empty"),
        ("a.db", b"SQLite format 3\x00", "jdbc:sqlite:"),
        ("a.dat", bytes(range(32)) * 9, "neither text"),
        ("a.json", b'[\n {"id": 1},\n {"id": 2}\n]', "not an object a line"),
        ("a.json", b'{\n "id": 1\n}', "not an object a line"),
        ("a.xml", b"<only/>", "without rows"),
    ],
)
def test_what_can_not_be_told_is_refused_with_what_to_do(name, head, says):
    with pytest.raises(SourceError, match="LL-SOURCE-008") as caught:
        contents(name, head)
    assert says in f"{caught.value.message} {caught.value.fix}"
    assert caught.value.fix
