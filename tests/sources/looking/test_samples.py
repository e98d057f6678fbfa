"""A few files, or their beginnings: unpacked, in UTF-8, in whole lines; what does not go together is refused."""

import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from lakeloom.core.errors import SourceError
from lakeloom.sources.looking import samples
from lakeloom.sources.looking.groups import groups
from lakeloom.sources.looking.places import place_of
from lakeloom.sources.looking.samples import sampled

CSV = "id;word\n1;Grüße\n2;b\n"


def zipped(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("inner/a.csv", content)
    return out.getvalue()


def tarred(content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        about = tarfile.TarInfo("a.csv")
        about.size = len(content)
        archive.addfile(about, io.BytesIO(content))
    return out.getvalue()


def look(home, pattern="", **files):
    (home / "in").mkdir(exist_ok=True)
    for name, content in files.items():
        (home / "in" / name.replace("__", ".")).write_bytes(content)
    place, asked = place_of(f"in/{pattern}".rstrip("/"), home, {})
    (group,) = groups(place.entries(), asked, "in")
    return sampled(place, group, home / "work")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a__csv", CSV.encode()), ("a__csv__gz", gzip.compress(CSV.encode())), ("a__csv__xz", lzma.compress(CSV.encode())),
     ("a__zip", zipped(CSV.encode())), ("a__tar__gz", tarred(CSV.encode())), ("a__csv__zip", zipped(CSV.encode("cp1252")))],
)  # fmt: skip
def test_what_is_packed_is_unpacked_and_recoded(tmp_path, name, content):
    found = look(tmp_path, **{name: content})
    assert (found.contents.format, found.contents.options) == ("csv", {"sep": ";"})
    (file,) = found.folder.iterdir()
    assert file.read_text(encoding="utf-8") == CSV


def test_a_large_file_is_read_from_its_beginning_in_whole_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "HEAD_BYTES", 1000)
    found = look(tmp_path, a__csv=("id,word\n" + "".join(f"{n},word {n}\n" for n in range(5000))).encode())
    (file,) = found.folder.iterdir()
    text = file.read_text()
    assert text.endswith("\n") and 900 < len(text) <= 1000


def test_letters_of_one_file_tell_the_encoding_of_all(tmp_path):
    found = look(tmp_path, "*.csv", a__csv=b"id;word\n1;plain\n", b__csv=CSV.encode("cp1252"))
    assert found.contents.encoding == "cp1252"
    assert "not UTF-8" in found.contents.guessed


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a__csv": CSV.encode(), "b__csv": CSV.encode("cp1252")}, "cp1252 and utf-8"),
        ({"a__csv": CSV.encode(), "b__csv": b'{"id": 1}\n'}, "csv and json"),
        ({"a__csv": b""}, "are empty"),
        ({"a__csv__gz": b"no gzip"}, "can't be unpacked"),
        ({"a__zip": zipped(b"")}, "is empty"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, files, says):
    with pytest.raises(SourceError, match="LL-SOURCE-008") as caught:
        look(tmp_path, "*", **files)
    assert says in caught.value.message and caught.value.fix
