"""The folder of one execution of a stream: copied, kept whole, looked at for damage. Files alone, no Spark."""

import shutil

import pytest

from lakeloom.core.errors import StreamError
from lakeloom.store import checkpoints
from lakeloom.store.checkpoints import Workplace, batch_of, damage, fingerprint, taken, watermark_ms


def place(root, epoch=1):
    return Workplace.of(root, "silver.a", epoch)


def lay(work, batch=1, watermark=5000):
    for name, text in {
        "metadata": '{"id":"x"}',
        f"commits/{batch}": f'v1\n{{"nextBatchWatermarkMs":{watermark}}}',
        "commits/0": 'v1\n{"nextBatchWatermarkMs":1}',
        f"offsets/{batch}": "v1\n{}",
        "sources/0/0": 'v1\n{"path":"file:///x/one.parquet","timestamp":1,"batchId":0}',
        "state/0/0/1.delta": "s" * 10,
    }.items():
        file = work / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def kept(root, epoch=1):
    found = place(root, epoch)
    found.begin(None)
    lay(found.work)
    found.end()
    return found


def test_an_execution_works_on_a_copy_and_leaves_the_last_one_as_it_was(tmp_path):
    first = kept(tmp_path)
    before = fingerprint(first.checkpoint)
    second = place(tmp_path, 2)
    second.begin(first)
    (second.work / "commits" / "2").write_text('v1\n{"nextBatchWatermarkMs":7000}')
    (second.work / "commits" / "0").unlink()
    assert not second.complete
    second.end()
    assert second.complete and not second.work.exists()
    assert (batch_of(second.checkpoint), watermark_ms(second.checkpoint)) == (2, 7000)
    assert (batch_of(first.checkpoint), watermark_ms(first.checkpoint)) == (1, 5000)
    assert fingerprint(first.checkpoint) == before != fingerprint(second.checkpoint)


def test_one_that_is_begun_again_forgets_what_it_had_done(tmp_path):
    first, second = kept(tmp_path), place(tmp_path, 2)
    second.begin(first)
    (second.work / "commits" / "9").write_text("half")
    (second.out(3)).mkdir()
    second.begin(first)
    assert batch_of(second.work) == 1 and not list(second.out().iterdir())


def test_without_what_the_last_one_remembered_none_begins(tmp_path):
    with pytest.raises(StreamError) as caught:
        place(tmp_path, 2).begin(place(tmp_path, 1))
    assert caught.value.code == "LL-STREAM-004"


def test_before_its_first_batch_a_checkpoint_says_so(tmp_path):
    assert (batch_of(tmp_path), watermark_ms(tmp_path)) == (-1, 0)


@pytest.mark.parametrize(
    "harm",
    ["gone", "commits/1", "offsets/1", "sources/0/0", "state/0/0/1.delta", "shorter", "another text", "one more"],
)
def test_damage_of_any_part_is_seen(harm, tmp_path):
    first = kept(tmp_path)
    told = fingerprint(first.checkpoint)
    assert damage(tmp_path, "silver.a", 1, told) is None
    if harm == "gone":
        shutil.rmtree(first.checkpoint)
    elif harm == "shorter":
        (first.checkpoint / "state/0/0/1.delta").write_text("s")
    elif harm == "another text":
        (first.checkpoint / "commits/1").write_text('v1\n{"nextBatchWatermarkMs":5001}')
    elif harm == "one more":
        (first.checkpoint / "commits/2").write_text('v1\n{"nextBatchWatermarkMs":5001}')
    else:
        (first.checkpoint / harm).unlink()
    assert damage(tmp_path, "silver.a", 1, told)


def test_files_that_were_taken_before_are_not_told_again(tmp_path):
    first, second = kept(tmp_path), place(tmp_path, 2)
    assert taken(first.checkpoint, None) == {"one.parquet"}
    second.begin(first)
    (second.work / "sources/0/1").write_text('v1\n{"path":"file:///y/two.parquet","timestamp":2,"batchId":1}')
    assert taken(second.work, first.checkpoint) == {"two.parquet"}


def test_a_file_that_goes_while_it_is_copied_is_no_harm(tmp_path, monkeypatch):
    first, real, calls = place(tmp_path), checkpoints._linked, []
    first.begin(None)
    lay(first.work)

    def linked(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise FileNotFoundError(source)
        real(source, target)

    monkeypatch.setattr(checkpoints, "_linked", linked)
    first.end()
    assert first.complete and batch_of(first.checkpoint) == 1


def test_a_file_system_without_links_copies(tmp_path, monkeypatch):
    def no_link(*_):
        raise PermissionError

    monkeypatch.setattr("os.link", no_link)
    assert batch_of(kept(tmp_path).checkpoint) == 1


def test_only_what_the_last_one_remembers_stays(tmp_path):
    first = kept(tmp_path)
    second = place(tmp_path, 2)
    second.begin(first)
    (second.folder / "facts.json").write_text("{}")
    second.end()
    second.tidy()
    assert [each.name for each in second.folder.parent.iterdir()] == ["00000002"]
    assert [each.name for each in second.folder.iterdir()] == ["checkpoint"]
