"""Many small files are read by few tasks, with the numbers that each record has in its file."""

from hypothesis import given
from hypothesis import strategies as st

from lakeloom.sources import packing
from lakeloom.sources.formats.base import format_of
from lakeloom.sources.ledger import FileEntry
from lakeloom.sources.packing import TASK_BYTES, tasks
from lakeloom.sources.reading import Reading
from lakeloom.sources.records import SPLIT_BYTES
from lakeloom.sources.whole import landing

MIB = 1 << 20


@given(st.lists(st.integers(0, 300 * MIB), max_size=200), st.integers(1, 16))
def test_a_task_takes_no_more_than_its_bytes_whichever_splits_it_gets(sizes, slots):
    number = tasks(sizes, SPLIT_BYTES, slots)
    if number is None:
        return
    splits = sorted(min(SPLIT_BYTES, size - at) for size in sizes for at in range(0, max(size, 1), SPLIT_BYTES))
    assert 2 * slots <= number < len(splits)
    assert sum(splits[-(-len(splits) // number) * -1 :]) <= TASK_BYTES


def test_few_files_and_large_ones_have_a_task_each():
    assert tasks([10] * 7, SPLIT_BYTES, 2) is None
    assert tasks([100 * MIB] * 50, SPLIT_BYTES, 2) is None
    assert tasks([], SPLIT_BYTES, 2) is None
    assert tasks([200_000] * 5_000, SPLIT_BYTES, 2) == 15
    assert tasks([10] * 8, SPLIT_BYTES, 2) == 4


def test_small_files_are_packed_and_numbered_as_if_each_were_alone(spark, tmp_path, monkeypatch):
    entries = []
    for number in range(90):
        content = "id,word\n" + "".join(f"{number},{line}\n" for line in range(number % 7))
        (tmp_path / f"{number}.csv").write_text(content + ("x,broken,more\n" if number % 10 == 3 else ""))
        entries.append(FileEntry(f"{number}.csv", len(content), 0, str(number), ("id", "word")))
    reading = Reading("csv", {}, None, (), ())
    assert format_of("csv").breaks

    def landed():
        found = landing(spark, reading, {}, entries, SPLIT_BYTES, tmp_path)
        good = sorted(tuple(row) for row in found.good.select("_file_no", "_record", "id", "word").collect())
        broken = sorted((row["_file_no"], row["_record"], row["raw"]) for row in found.broken.collect())
        return found.shared.rdd.getNumPartitions(), good, broken

    number, good, broken = landed()
    assert number == tasks([entry.size for entry in entries], SPLIT_BYTES, spark.sparkContext.defaultParallelism) < 90
    assert good == [(file, line + 1, str(file), str(line)) for file in range(90) for line in range(file % 7)]
    assert broken == [(file, file % 7 + 1, "x,broken,more") for file in range(3, 90, 10)]
    monkeypatch.setattr(packing, "tasks", lambda *words: None)
    assert landed() == (90, good, broken)
