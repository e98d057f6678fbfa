"""A file of a folder that is written anew while it lands: what it holds now lands once, by itself."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakeloom.flow import land


class Rewritten:
    """A file that is another one as soon as Spark is about to read it, after it was looked at."""

    def __init__(self, shop, monkeypatch, file, content):
        self.shop, self.done, real = shop, False, land.bronze.stamp

        def stamp(*words):
            if not self.done:
                self.done = True
                file.write_bytes(content)
            return real(*words)

        monkeypatch.setattr(land.bronze, "stamp", stamp)

    def run(self):
        (step,) = self.shop.run("bronze.orders").steps
        return step


def parquet(file, *ids):
    pq.write_table(pa.table({"order_id": [str(each) for each in ids]}), file)
    return file.read_bytes()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_it_is_left_to_the_next_run_and_doubles_nothing(shop, monkeypatch, kind):
    folder = shop.home / "in" / "orders"
    for each in folder.iterdir():
        each.unlink()
    first, other = folder / f"a.{kind}", folder / f"b.{kind}"
    if kind == "csv":
        first.write_text("order_id\n1\n2\n")
        other.write_text("order_id\n9\n")
        content = b"order_id\n3\n4\n5\n"
    else:
        content = parquet(first, 3, 4, 5)
        parquet(first, 1, 2)
        parquet(other, 9)
        sources = shop.conf / "shop" / "sources.yml"
        sources.write_text(
            sources.read_text().replace("in/orders/*.csv*, format: csv", "in/orders/*.parquet, format: parquet")
        )
    rewritten = Rewritten(shop, monkeypatch, first, content)
    done = rewritten.run()
    assert rewritten.done and (done.status, done.rows_out) == ("done", 1), done.error
    assert rewritten.run().rows_out == 3
    assert shop.rows("bronze.orders", "order_id") == [("3",), ("4",), ("5",), ("9",)]
    assert rewritten.run().status == "skipped"
