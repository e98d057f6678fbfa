"""Tables read by Arrow's own file system: in folders of any name, and never by Python from Arrow's threads."""

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakeloom.store.arrow import folder, scanned
from lakeloom.store.lake import Lake
from lakeloom.training.loader import Pinned, read_split

ROWS = pa.table(
    {
        "_row": pa.array([2, 1, 3], pa.int64()),
        "_split": ["train", "train", "test"],
        "label": [1.0, 0.0, 1.0],
        "size": [5.0, 6.0, 7.0],
    }
)


@pytest.mark.parametrize("name", ["plain", "with blank", "ümläut", "a#b?c", "a+b"])
def test_a_table_in_a_folder_of_any_name(tmp_path, name):
    path = tmp_path / name
    write_deltalake(str(path), ROWS)
    opened = DeltaTable(str(path))
    assert folder(opened).rstrip("/") == str(path)
    assert scanned(opened).equals(ROWS)
    assert scanned(opened, ["size"], [("_split", "=", "test")]).to_pydict() == {"size": [7.0]}


def test_no_reader_lets_arrows_threads_call_python(lake: Lake, monkeypatch):
    def refused(*_):
        raise AssertionError("deltalake's own file system: the process may abort as it ends")

    monkeypatch.setattr("deltalake.fs.DeltaStorageHandler.from_table", refused)
    path = lake.path("gold.rows")
    write_deltalake(path, ROWS)
    with pytest.raises(AssertionError, match="may abort"):
        DeltaTable(path).to_pyarrow_table()
    assert lake.arrow("gold.rows", columns=["size"]).num_rows == 3
    assert read_split(Pinned(path, 0, ("size",)), "train")["_row"].to_pylist() == [1, 2]
