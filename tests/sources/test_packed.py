"""Packed files: what is unpacked, that nothing climbs or grows without end, and what can't be is told in words."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile

import pyarrow as pa
import pytest

from lakeloom.sources import packed
from lakeloom.sources.packed import PackedError, kind_of, unpack
from lakeloom.sources.snappy import IDENTIFIER, _masked, _slowly, raw

TEXT = b"id,word\n1,one\n2,two\n" * 500


def by_arrow(codec):
    def pack(content):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as out:
            out.write(content)
        return sink.getvalue().to_pybytes()

    return pack


def framed(content):
    """Return snappy's framing format: checksummed chunks of at most 64 KiB, one of them as it is, and padding."""
    out = IDENTIFIER
    for number, start in enumerate(range(0, len(content), 60_000)):
        data = content[start : start + 60_000]
        body = data if number == 1 else pa.compress(data, codec="snappy", asbytes=True)
        out += bytes([number == 1]) + (len(body) + 4).to_bytes(3, "little") + _masked(data).to_bytes(4, "little") + body
        out += b"\xfe\x03\x00\x00pad"
    return out


def hadoop(content):
    """Return Hadoop's form: blocks of a length, each of one chunk or more with a length of its own."""
    out = b""
    for start in range(0, len(content), 5000):
        block = content[start : start + 5000]
        out += len(block).to_bytes(4, "big")
        for at in range(0, len(block), 3000):
            packed = pa.compress(block[at : at + 3000], codec="snappy", asbytes=True)
            out += len(packed).to_bytes(4, "big") + packed
    return out


STREAMS = {
    ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": by_arrow("zstd"), ".lz4": by_arrow("lz4"), ".zstd": by_arrow("zstd"),
    ".sz": framed, ".snappy": hadoop,
}  # fmt: skip


def zipped(members, **more):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


def tarred(members, more=()):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return sink.getvalue()


def put(folder, name, content):
    file = folder / name
    file.write_bytes(content)
    return file


def content(members):
    return {member.name: member.file.read_bytes() for member in members}


@pytest.mark.parametrize("ending", STREAMS)
def test_a_packed_file_is_the_file_that_it_holds(tmp_path, ending):
    file = put(tmp_path, f"a.csv{ending}", STREAMS[ending](TEXT))
    (member,) = unpack(file, tmp_path / "zone" / "abc")
    assert (member.name, member.file.read_bytes(), member.file.suffix) == ("", TEXT, ".csv")
    with pytest.raises(PackedError, match="cut off or damaged"):
        unpack(put(tmp_path, f"b.csv{ending}", STREAMS[ending](os.urandom(5000))[:-20]), tmp_path / "zone" / "b")
    with pytest.raises(PackedError, match="damaged"):
        unpack(put(tmp_path, f"c.csv{ending}", b"id,word\n1,one\n"), tmp_path / "zone" / "c")
    assert sorted(each.name for each in (tmp_path / "zone").iterdir()) == ["abc"]


def test_snappy_of_many_chunks_in_either_form_and_a_flipped_bit_in_a_frame(tmp_path):
    content = os.urandom(100_000) + TEXT * 20
    for name, pack in (("a.csv.sz", framed), ("b.csv.snappy", hadoop), ("c.csv.snappy", framed)):
        (member,) = unpack(put(tmp_path, name, pack(content)), tmp_path / "zone" / name)
        assert member.file.read_bytes() == content
    spoilt = bytearray(framed(content))
    spoilt[70_000] ^= 1
    with pytest.raises(PackedError, match="damaged"):
        unpack(put(tmp_path, "d.csv.sz", bytes(spoilt)), tmp_path / "zone" / "d")
    # The check value of CRC-32C, and that both ways of computing it agree.
    assert _slowly(b"123456789") == 0xE3069283 and _masked(b"123456789") == (
        ((_slowly(b"123456789") >> 15 | _slowly(b"123456789") << 17) + 0xA282EAD8) & 0xFFFFFFFF
    )


@pytest.mark.parametrize("packed", [b"", b"\xff" * 9, b"\xff\xff\xff\xff\x0f\x00", b"\x05\x00"])
def test_a_raw_block_that_lies_of_its_size_takes_no_memory(packed):
    with pytest.raises(ValueError):
        raw(packed, 1 << 20)


MEMBERS = {
    "in/a.csv": TEXT, "b.csv.gz": gzip.compress(TEXT), "../../climbs.csv": b"x", "/abs.csv": b"y", "in/_left.csv": b"-",
    "__MACOSX/a.csv": b"-", "ü 漢.csv": b"z", "c.csv": b"", "..\\..\\win.csv": b"w",
}  # fmt: skip
TAKEN = {name: each for name, each in MEMBERS.items() if "_left" not in name and "MACOSX" not in name}


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.zip", zipped), ("a.tar", tarred), ("a.tar.gz", lambda each: gzip.compress(tarred(each))),
     ("a.tgz", lambda each: gzip.compress(tarred(each))), ("a.tar.zst", lambda each: by_arrow("zstd")(tarred(each))),
     ("a.TBZ2", lambda each: bz2.compress(tarred(each)))],
)  # fmt: skip
def test_members_land_by_number_whatever_their_names(tmp_path, name, pack):
    members = unpack(put(tmp_path, name, pack(MEMBERS)), tmp_path / "deep" / "zone" / "abc")
    assert content(members) == TAKEN
    files = {each for each in tmp_path.rglob("*") if each.is_file()}
    assert {each.parent for each in files} == {tmp_path, tmp_path / "deep" / "zone" / "abc"}
    again = unpack(tmp_path / name, tmp_path / "deep" / "zone" / "abc")
    assert again == members


def test_links_and_devices_of_an_archive_are_passed_over(tmp_path):
    more = []
    for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("fifo", tarfile.FIFOTYPE)):
        info = tarfile.TarInfo(f"{name}.csv")
        info.type, info.linkname = kind, "/etc/passwd"
        more.append(info)
    found = unpack(put(tmp_path, "a.tar", tarred({"a.csv": b"1"}, more)), tmp_path / "zone")
    assert content(found) == {"a.csv": b"1"}


@pytest.mark.parametrize(
    ("name", "made", "why"),
    [("a.zip", zipped({"b.zip": zipped({"c.csv": b"1"})}), "packed again"), ("a.zip", zipped({}), "holds no file"),
     ("a.zip", zipped({"_a.csv": b"1"}), "holds no file"), ("a.tar", b"x" * 5000, "damaged"), ("a.zip", b"PK", "damaged"),
     ("a.tar.gz", tarred({"a.csv": b"1"}), "damaged"), ("a.zip", zipped({"a.csv": TEXT})[:-30], "damaged")],
)  # fmt: skip
def test_what_can_t_be_unpacked_is_told_and_leaves_nothing(tmp_path, name, made, why):
    with pytest.raises(PackedError, match=why):
        unpack(put(tmp_path, name, made), tmp_path / "zone" / "abc")
    assert not any((tmp_path / "zone").iterdir())


def test_a_flipped_bit_in_an_archive_is_found(tmp_path):
    made = bytearray(zipped({"a.csv": os.urandom(3000)}))
    made[1500] ^= 1
    with pytest.raises(PackedError, match="damaged"):
        unpack(put(tmp_path, "a.zip", bytes(made)), tmp_path / "zone")


def test_an_encrypted_archive_is_told_as_one(tmp_path):
    made = bytearray(zipped({"a.csv": TEXT}))
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(sign) + offset] |= 1
    with pytest.raises(PackedError, match="encrypted"):
        unpack(put(tmp_path, "a.zip", bytes(made)), tmp_path / "zone")


@pytest.mark.parametrize("name", ["a.zip", "a.csv.bz2", "a.csv.zst", "a.tar.xz"])
def test_a_bomb_is_ended_before_it_fills_the_disk(tmp_path, monkeypatch, name):
    monkeypatch.setattr(packed, "_HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr(packed, "_MOST", 10)
    zeros = bytes(64 << 20)
    pack = {
        "a.zip": lambda: zipped({"a.csv": zeros}), "a.csv.bz2": lambda: bz2.compress(zeros),
        "a.csv.zst": lambda: by_arrow("zstd")(zeros), "a.tar.xz": lambda: lzma.compress(tarred({"a.csv": zeros})),
    }[name]  # fmt: skip
    with pytest.raises(PackedError, match="thousand times"):
        unpack(put(tmp_path, name, pack()), tmp_path / "zone" / "abc")
    assert sum(each.stat().st_size for each in (tmp_path / "zone").rglob("*")) < 1 << 20


def test_killed_while_it_unpacks_it_begins_anew(tmp_path, monkeypatch):
    file = put(tmp_path, "a.zip", zipped({"a.csv": TEXT, "b.csv": TEXT}))

    class Killed(BaseException):
        pass

    real, count = packed._Budget.spend, [0]

    def spend(budget, size):
        count[0] += 1
        if count[0] == 2:
            raise Killed
        real(budget, size)

    monkeypatch.setattr(packed._Budget, "spend", spend)
    with pytest.raises(Killed):
        unpack(file, tmp_path / "zone" / "abc")
    assert not (tmp_path / "zone" / "abc").exists()
    assert content(unpack(file, tmp_path / "zone" / "abc")) == {"a.csv": TEXT, "b.csv": TEXT}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", None), ("a.csv.gz", None), ("a.gz", None), ("a", None), (".zip", None), ("a.ZIP", "zip"), ("a.tar.lz4", "tar"),
     ("a.b.xz", "xz"), ("a.csv.lz4", "lz4")],
)  # fmt: skip
def test_how_a_file_is_packed_is_told_by_its_name(name, kind):
    assert kind_of(name) == kind


WORDS = "id,word\n1,Zoë\n2,Łódź €\n" * 40_000  # longer than what is read at a time


@pytest.mark.parametrize(
    ("encoding", "name", "pack"),
    [("utf-16", "a.csv", bytes), ("cp1250", "a.csv.gz", gzip.compress), ("utf-32-le", "a.csv.bz2", bz2.compress),
     ("iso8859_16", "a.zip", lambda each: zipped({"x.csv": each, "y.csv.gz": gzip.compress(each)}))],
)  # fmt: skip
def test_other_encodings_are_utf8_afterwards(tmp_path, encoding, name, pack):
    file = put(tmp_path, name, pack(WORDS.encode(encoding)))
    found = unpack(file, tmp_path / "zone", encoding)
    assert {member.file.read_bytes().decode() for member in found} == {WORDS}
    assert {member.file.suffix for member in found} == {".csv"}
    with pytest.raises(PackedError, match="not written in utf-16"):
        unpack(
            put(tmp_path, f"b-{name}", pack(WORDS.encode("latin-1", "replace") + b"\xff")), tmp_path / "other", "utf-16"
        )


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "us-ascii", "utf-8-sig"])
def test_what_is_utf8_needs_no_other_bytes(encoding):
    assert packed.is_utf8(encoding)
