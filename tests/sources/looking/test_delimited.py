"""How delimited text is written: by real texts of the kinds that come."""

import pytest

from lakeloom.sources.looking.delimited import delimited


@pytest.mark.parametrize(
    ("text", "options", "names"),
    [
        ("id,name\n1,Ada\n2,Bob\n", {}, ("id", "name")),
        ("id;name;amount\n1;Ada;1,50\n2;Bob;2,75\n", {"sep": ";"}, ("id", "name", "amount")),
        ("id\tname\n1\tAda\n", {"sep": "\t"}, ("id", "name")),
        ("\ufeffid|name\n1|a,b,c\n2|d,e,f\n", {"sep": "|"}, ("id", "name")),
        ("1,2.5,x\n2,3.5,y\n", {"header": False}, ("c1", "c2", "c3")),
        ("2026-01-05,x\n2026-01-06,y\n", {"header": False}, ("c1", "c2")),
        # All texts: a first line whose words come again below is none of names.
        ("red,apple\ngreen,pear\nred,plum\n", {"header": False}, ("c1", "c2")),
        ("colour,fruit\ngreen,pear\nred,plum\n", {}, ("colour", "fruit")),
        ('id,note\n1,"a\nb, c"\n2,"d"\n', {"multiLine": True}, ("id", "note")),
        ("id,note\n1,'a, b'\n2,'c, d'\n", {"quote": "'"}, ("id", "note")),
        ('id,note\n1,"say \\"a\\", b"\n2,x\n', {"escape": "\\"}, ("id", "note")),
        ('id,note\n1,"say ""a"", b"\n2,x\n', {}, ("id", "note")),
        ("id,name\n# made by hand\n1,Ada\n", {"comment": "#"}, ("id", "name")),
        # The last line was cut off where the looking ended.
        ("a,b,c\n" + "1,2,3\n" * 5 + "1,2", {}, ("a", "b", "c")),
        ("a,b\r\n1,2\r\n", {}, ("a", "b")),
    ],
)
def test_separator_quotes_and_header_are_seen(text, options, names):
    found = delimited(text)
    assert (found.options, found.names) == (options, names)


@pytest.mark.parametrize("text", ["", "one\ntwo\nthree\n", "a, b\nc\nd, e, f\ng\n", "Dear all,\nthis is a letter.\n"])
def test_what_is_not_delimited_is_nothing(text):
    assert delimited(text) is None
