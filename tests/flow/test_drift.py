"""Files that drift: headers in another order and case, columns that come and go, types that fork from what is stored."""

import io
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from lakeloom.config.load import read
from lakeloom.flow.runner import run
from lakeloom.project.check import checked
from lakeloom.store import refs
from lakeloom.store.lake import Lake


class Shop:
    def __init__(self, home, source):
        (home / "conf" / "shop").mkdir(parents=True)
        (home / "in").mkdir()
        (home / "conf" / "base.yml").write_text("project: shop\nretries: 0\n")
        (home / "conf" / "shop" / "sources.yml").write_text(
            f"sources:\n  things: {{kind: files, path: 'in/*', {source}}}\n"
        )
        self.home = home

    def land(self, **files):
        """Put files, run, and return rows out and quarantined of the landing."""
        for name, content in files.items():
            (self.home / "in" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        (step,) = run(checked(read(self.home / "conf"))).steps
        assert step.error is None, step.error
        return step.rows_out, step.quarantined

    def rows(self, table="bronze.things"):
        lake = Lake(checked(read(self.home / "conf")).root)
        return (
            lake.arrow(table, refs.good(lake)[table])
            .sort_by([("_file", "ascending")] if "bronze" in table[:6] else "file")
            .to_pylist()
        )

    def kept(self):
        return {(row["file"], tuple(row["reasons"])) for row in self.rows("quarantine.bronze__things")}


def made(**columns):
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_headers_in_another_order_and_case_with_a_mark_before_them_and_columns_that_come_and_go(tmp_path, spark):
    shop = Shop(tmp_path, "format: csv, columns: {id: bigint}")
    assert shop.land(a="id,city\n1,Rome\n") == (1, 0)
    assert shop.land(
        b="City,ID\nOslo,2\n", c=b"\xef\xbb\xbfid,city\n3,Bergen\n", d="id\n4\n", e='"id" , extra\n5,x\n'
    ) == (4, 0)
    assert shop.land(f=b"\xef\xbb\xbf6,Paris\n7,Kiev\n", g="city,id,city\n1,2,3\n") == (0, 2)
    assert [(row["id"], row["city"], row["extra"]) for row in shop.rows()] == [
        (1, "Rome", None), (2, "Oslo", None), (3, "Bergen", None), (4, None, None), (5, None, "x"),
    ]  # fmt: skip
    assert shop.kept() == {
        ("in/f", ("its first line shares no column with the files before; is its header missing?",)),
        ("in/g", ("two columns are called 'city' and 'city'",)),
    }
    assert [name for name in shop.rows()[0] if not name.startswith("_")] == ["id", "city", "extra"]


@pytest.mark.parametrize(
    ("source", "content", "first"),
    [
        ("format: csv, options: {header: false}, columns: {id: int, word: string}", "1,a\n", (1, "a")),
        ("format: csv, options: {multiLine: true}", 'id,word\n1,"a\nb"\n', ("1", "a\nb")),
        ("format: json", '{"id": 1, "word": "a"}\n', ("1", "a")),
        ("format: xml, row_tag: r", "<l><r><id>1</id><word>a</word></r></l>", ("1", "a")),
        ("format: fixed, fields: {id: [1, 2], word: [3, 3]}", " 1a\n", ("1", "a")),
    ],
)  # fmt: skip
def test_a_byte_order_mark_is_no_part_of_any_value(tmp_path, spark, source, content, first):
    shop = Shop(tmp_path, source)
    assert shop.land(a=b"\xef\xbb\xbf" + content.encode()) == (1, 0)
    (row,) = shop.rows()
    assert (row["id"], row["word"]) == first


def test_types_are_those_of_the_first_landing_and_what_does_not_fit_is_kept(tmp_path, spark):
    shop = Shop(tmp_path, "format: parquet")
    first = made(
        id=pa.array([1], pa.int32()), price=[1.5], day=pa.array(["x"]), tags=[["a"]],
        part=pa.array([{"a": 1, "b": "x"}]), at=pa.array([0], pa.timestamp("us", "UTC")),
    )  # fmt: skip
    assert shop.land(a=first) == (1, 0)
    # Wider, narrower, as text: what still is the same value lands; the others don't, and no other row with them.
    assert shop.land(
        b=made(id=["7", "x", "8.5"]), c=made(id=pa.array([2**40, 9], pa.int64()), price=[3, 2**53 + 1])
    ) == (1, 4)
    assert shop.land(d=made(id=[10.0, 10.5], price=pa.array([Decimal("0.25"), None])), e=made(day=[5], id=[11])) == (
        2,
        1,
    )
    assert shop.land(
        f=made(id=[12, 13], part=pa.array([{"a": 2}, None])), g=made(id=[14], part=pa.array([{"a": "two"}]))
    ) == (2, 1)
    assert shop.land(
        h=made(id=[15], tags=["no list"]),
        i=made(id=[16], at=[True]),
        j=made(id=[17], part=pa.array([{"a": 3, "c": 1}])),
    ) == (1, 2)
    assert {(row["id"], row["price"], row["day"]) for row in shop.rows()} == {
        (1, 1.5, "x"), (7, None, None), (10, 0.25, None), (11, None, "5"), (12, None, None), (13, None, None), (17, None, None),
    }  # fmt: skip
    assert shop.kept() == {
        ("in/b", ("id: not int",)), ("in/c", ("id: not int",)), ("in/c", ("price: not double",)), ("in/d", ("id: not int",)),
        ("in/g", ("part: not struct<a:bigint,b:string>",)), ("in/h", ("tags: not array<string>",)), ("in/i", ("at: not timestamp",)),
    }  # fmt: skip
    raws = [json.loads(row["raw"]) for row in shop.rows("quarantine.bronze__things")]
    assert {"id": 9, "price": 2**53 + 1} in raws and {"id": "x"} in raws


def test_an_element_that_once_repeated_stays_a_list(tmp_path, spark):
    shop = Shop(tmp_path, "format: xml, row_tag: r")
    assert shop.land(a="<l><r><m>1</m><m>2</m><n>x</n></r></l>") == (1, 0)
    assert shop.land(b="<l><r><m>3</m><n>y</n><n>z</n></r></l>") == (1, 0)
    assert [(row["m"], row["n"]) for row in shop.rows()] == [(["1", "2"], "x"), (["3"], '["y","z"]')]
