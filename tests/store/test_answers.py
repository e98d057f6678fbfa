"""What was read of a small table or file is not read again while it is the same, and is read anew once it is not."""

from urllib.parse import unquote

import pytest

from lakeloom.core.names import TableName
from lakeloom.objects.address import Address
from lakeloom.objects.opened import opening
from lakeloom.objects.path import ObjectPath
from lakeloom.store import meta
from lakeloom.store.answers import Answers
from lakeloom.store.intents import Intent, Intents
from lakeloom.store.lake import Lake
from lakeloom.store.listing import Listed, listed, names_at
from tests.servers.counted import counted

TABLE = TableName("meta", "steps")
COLUMNS = {"step": "string", "rows": "long"}


def place(bucket, tmp_path, **said):
    """Return a root in a bucket, its store reached as `said` besides."""
    stores = {at: own | said for at, own in bucket.stores.items()}
    return ObjectPath(opening(Address.parse(f"{bucket.root}/lake", "root"), stores), "lake", tmp_path)


def intent(epoch):
    return Intent("gold.t", epoch, "r", "2026-01-01T00:00:00+00:00", 1, "c")


def test_an_answer_holds_while_the_log_is_the_same_and_is_each_asker_s_own():
    answers, log = Answers(), {"0.json": Listed(3, "a", 0.0)}
    answers.keep("meta.t", "q", log, [{"n": 1}])
    answers.kept("meta.t", "q", dict(log))[0]["n"] = 7
    assert answers.kept("meta.t", "q", log) == [{"n": 1}]
    assert answers.kept("meta.t", "q", {"0.json": Listed(3, "b", 0.0)}) is None
    assert answers.kept("meta.t", "other", log) is None
    answers.keep("meta.t", "large", log, [{"n": n} for n in range(10_001)])
    assert answers.kept("meta.t", "large", log) is None


def test_the_latest_answers_are_kept_and_not_all_there_ever_were():
    answers, log = Answers(), {"0.json": Listed(3, "a", 0.0)}
    for number in range(300):
        answers.keep("meta.t", "always", log, [{"n": 1}])
        answers.keep("meta.t", f"q{number}", log, [{"n": number}])
    assert [number for number in range(300) if answers.kept("meta.t", f"q{number}", log)] == list(range(45, 300))
    assert answers.kept("meta.t", "always", log) == [{"n": 1}]


def test_rows_are_read_again_only_where_the_log_has_changed(lake, monkeypatch):
    meta.append(lake, TABLE, COLUMNS, [{"step": "a", "rows": 1}])
    opened, delta = [], Lake.delta
    monkeypatch.setattr(Lake, "delta", lambda *given, **named: opened.append(1) or delta(*given, **named))
    assert meta.rows(lake, TABLE) == meta.rows(lake, TABLE) == [{"step": "a", "rows": 1}]
    assert len(opened) == 1
    meta.append(Lake(lake.root), TABLE, COLUMNS, [{"step": "b", "rows": 2}])  # by another process
    assert sorted(row["rows"] for row in meta.rows(lake, TABLE)) == [1, 2]


def test_a_folder_that_is_not_there_has_nothing_and_other_content_another_mark(tmp_path):
    assert listed(tmp_path / "none") == {} and list(names_at(tmp_path / "none")) == []
    (tmp_path / "a.json").write_text("1")
    before = listed(tmp_path)
    (tmp_path / "new").write_text("2")
    (tmp_path / "new").replace(tmp_path / "a.json")
    after = listed(tmp_path)
    assert before.keys() == after.keys() == {"a.json"} and before["a.json"].mark != after["a.json"].mark


@pytest.mark.parametrize("kind", ["s3", "gs", "abfss"])
def test_an_intent_in_a_store_is_read_once_and_how_it_ended_is_seen(kind, bucket_of, tmp_path):
    bucket = bucket_of(kind)
    ((_, own),) = bucket.stores.items()
    with counted(int(own["endpoint"].rpartition(":")[2])) as front:
        root = place(bucket, tmp_path, endpoint=f"http://127.0.0.1:{front.port}")
        intents = Intents(root)
        assert intents.latest("gold.t") is None and intents.history("gold.t") == []
        intents.begin(intent(1))
        assert intents.latest("gold.t").crashed
        Intents(root).finish(intent(1), {"rows_out": 3})  # by another process
        assert intents.latest("gold.t").facts == intents.published("gold.t").facts == {"rows_out": 3}
        intents.begin(intent(2))
        intents.fail(intent(2), {"code": "x"})
        intents.fail(intent(2), {"code": "y"})
        assert intents.latest("gold.t").failed == {"code": "y"} and intents.published("gold.t").intent.epoch == 1
        first = len(front.asked)
        assert [record.intent.epoch for record in intents.history("gold.t")] == [1, 2]
        again = [(method, unquote(path)) for method, path, _ in front.asked[first:]]
        assert len(again) == 1 and "lake/intents/gold.t/" in again[0][1], again


def test_a_small_table_in_a_store_stays_few_files_and_few_commits(bucket_of, tmp_path):
    lake = Lake(place(bucket_of("s3"), tmp_path))
    for number in range(24):
        meta.append(lake, TABLE, COLUMNS, [{"step": f"s{number}", "rows": number}], {"delta.appendOnly": "true"})
        assert lake.size(TABLE).files <= 9
    assert sorted(row["rows"] for row in meta.rows(lake, TABLE)) == list(range(24))
    log = lake.log(TABLE)
    newest = max(int(name[:20]) for name in log if name.endswith(".checkpoint.parquet"))
    assert lake.version(TABLE) - newest < 10
