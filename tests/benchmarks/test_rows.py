from pyarrow import csv

from benchmarks import rows
from benchmarks.rows import Cost, lay_out, result


def test_files_hold_as_many_rows_at_any_size(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "FILE", 40)
    lay_out(tmp_path / "in", 100)
    files = [csv.read_csv(file) for file in sorted((tmp_path / "in").iterdir())]
    assert [file.num_rows for file in files] == [40, 40, 20]
    assert sorted(number for file in files for number in file["order_id"].to_pylist()) == list(range(100))


def test_what_grows_faster_than_its_rows_misses_the_target():
    few = Cost(1_000_000, 30.0, 20.0)
    flat = result([few, Cost(30_000_000, 600.0, 590.0)])
    assert flat.figures["growth"] == 0.667
    assert flat.targets[0].met(flat.figures)
    steep = result([few, Cost(30_000_000, 1200.0, 1190.0)])
    assert not steep.targets[0].met(steep.figures)
