"""What holds of every format of the table: a sound file lands numbered, one that is none goes to quarantine whole."""

import io

import fastavro
import pyarrow as pa
import pytest
from pyarrow import orc, parquet

from lakeloom.core.kinds import load
from lakeloom.sources.files import Files
from lakeloom.sources.files_config import FilesConfig
from lakeloom.sources.formats import FORMATS
from lakeloom.sources.formats.base import Format, takers
from tests.sources.test_protobuf import described, framed, orders
from tests.sources.test_xlsx import workbook


def arrow(write):
    sink = io.BytesIO()
    write(pa.table({"id": ["1", "2", "3"], "word": ["a", "b", "c"]}), sink)
    return sink.getvalue()


def written():
    sink, kind = io.BytesIO(), {"type": "record", "name": "r", "fields": [{"name": "id", "type": "int"}]}
    fastavro.writer(sink, kind, [{"id": 1}, {"id": 2}, {"id": 3}])
    return sink.getvalue()


# Of each format: what it needs of the config, a file of three records, and one that is no such file.
SAMPLES = {
    "csv": ({}, b"id,word\n1,a\n2,b\n3,c\n", b"id,word\n1,\xff\n"),
    "json": ({}, b'{"id":1,"word":"a"}\n{"id":2,"word":"b"}\n{"id":3}\n', b"[1]\n"),
    "xml": ({"row_tag": "r"}, b"<l><r><id>1</id></r><r><id>2</id></r><r><id>3</id></r></l>", b"<l><r>"),
    "parquet": ({}, arrow(parquet.write_table), b"PAR1"),
    "avro": ({}, written(), b"Obj\x01"),
    "protobuf": (
        {"descriptor": "order.pb", "message": "shop.Order"}, framed(*orders(1, 2, 3)), framed(*orders(1))[:-1],
    ),
    "xlsx": ({}, workbook([["id"], [1], [2], [3]]), b"PK"),
    "orc": ({}, arrow(orc.write_table), b"ORC"),
    "text": ({}, b"1\n2\n3\n", b"\xff\n"),
    "fixed": ({"fields": {"id": (1, 1), "word": (2, 2)}}, b"1a\n2b\n3c\n", b"\xff\n"),
    "binary": ({}, b"any bytes", b""),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_a_sound_file_lands_numbered_and_what_is_none_is_kept_whole(spark, tmp_path, name):
    words, sound, spoilt = SAMPLES[name]
    (tmp_path / "in").mkdir()
    (tmp_path / "order.pb").write_bytes(described())
    for file, content in (("a", sound), ("b", spoilt), ("c", sound)):
        (tmp_path / "in" / file).write_bytes(content)
    config = FilesConfig(kind="files", path="in/*", format=name, **words)
    batch = Files.poll(config, [], None, lambda: spark, tmp_path)
    assert [each["problem"] is None for each in batch["files"]] == [True, False, True]
    assert batch["files"][2]["duplicate_of"] == "in/a"
    landing = Files.read(spark.newSession(), config, batch, None, tmp_path)
    good = landing.good.select("_file", "_file_no", "_record").collect()
    many = 1 if name == "binary" else 3
    assert {(row._file, row._file_no) for row in good} == {("in/a", 0)}
    assert len({row._record for row in good}) == len(good) == many
    (kept,) = landing.broken.collect()
    assert (bytes(kept.bytes), kept._file, kept._record, len(kept.reasons)) == (spoilt, "in/b", 0, 1)


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_says_of_itself(name):
    format_ = load(FORMATS[name])
    assert issubclass(format_, Format) and set(format_.one_character) <= format_.options
    assert all(name in takers(word) for word in (*format_.needs, *format_.takes))
    for option in ("inferSchema", "mode", "path"):
        with pytest.raises(ValueError, match="no option"):
            FilesConfig(kind="files", path="in/*", format=name, options={option: "x"}, **SAMPLES[name][0])
    for word in format_.needs:
        without = {key: value for key, value in SAMPLES[name][0].items() if key != word}
        with pytest.raises(ValueError, match=f"{word} is what {name} needs"):
            FilesConfig(kind="files", path="in/*", format=name, **without)


def test_a_format_of_one_s_own_is_named_by_a_dotted_name(tmp_path):
    made = FilesConfig(kind="files", path="in/*", format="lakeloom.sources.formats.csv:Csv", options={"sep": ";"})
    assert made.reading.options == {"sep": ";"}
    with pytest.raises(ValueError, match="can't be imported"):
        FilesConfig(kind="files", path="in/*", format="nowhere.at:All")
    with pytest.raises(ValueError, match=r"'csv', 'json'") as caught:
        FilesConfig(kind="files", path="in/*", format="CSV")
    assert caught.value.errors()[0]["type"] == "literal_error"
