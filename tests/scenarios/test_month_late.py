"""A bug in a transform that is found a month late: why, a branch with the fix, its difference, promote, the audit.

Four people work on it: ``nightly`` runs what is scheduled, Ana reads the reports, Sven keeps the model, Erik is the
engineer on call. What they type and are told is golden; ``make golden`` writes it anew, read the difference before
you commit it.
"""

import json
import shutil
from datetime import datetime, timedelta

import pytest

import lakeloom
from lakeloom.flow import prepare
from lakeloom.registry.client import connect
from tests.scenarios.month_late import BUG, COMMA_SINCE, DAYS, FIRST, FIX, deliveries, drop_days, lay_out
from tests.scenarios.test_golden import agrees
from tests.scenarios.transcript import Transcript

MILL = ["--key", "depot=mill", "--key", "day=2026-01-20"]
SCORE = ["--key", "id=230", "--limit", "1"]
WEEKS = (
    "select depot, day >= '2026-01-08' as since, round(avg(late), 1) as late from gold.depots"
    " group by 1, 2 order by 1, 2"
)
STEPS = ["silver.deliveries", "gold.depots"]
FOLLOWED = ["features.depots", "datasets.late_deliveries", "models.delivery_late", "gold.delivery_scores"]


class Later(datetime):
    """The clock of the upkeep a day later."""

    @classmethod
    def now(cls, zone=None):
        return datetime.now(zone) + timedelta(hours=25)


class Story:
    """The project in two checkouts on one storage root, main's and Erik's, and what is typed there."""

    def __init__(self, folder, monkeypatch):
        self.told = Transcript(monkeypatch)
        self.main, self.work = lay_out(folder / "main"), folder / "work"

    def type(self, who, *words, work=False, **options):
        return self.told.type(who, self.work if work else self.main, *words, **options)

    def lake(self, **options):
        return lakeloom.open(self.main / "conf", **options)

    def late(self, version=None, **options):
        """Return the minutes late by id."""
        rows = self.lake(**options).table("silver.deliveries", version).arrow(["id", "late"]).to_pylist()
        return {row["id"]: row["late"] for row in rows}

    def versions(self):
        return {each.name: each.version for each in self.lake().tables() if each.layer != "meta"}

    def sql(self, folder):
        return folder / "conf" / "deliveries" / "sql" / "silver_deliveries.sql"


def of_days(last):
    """Return the deliveries that have come by a day, from 1."""
    return [each for each in deliveries() if each.day < FIRST + timedelta(days=last)]


def wrong(each):
    return 0.0 if each.touched else each.late or 0.0


def a_month_passes(story):
    for last in (15, DAYS - 1):
        drop_days(story.main, last - 14, last)
        story.type("nightly", "run", *(["+gold.depots"] if last == 15 else []), told=False)
    story.told.say("Ana: the mill has been on time since the eighth, to the minute?")
    story.type("ana", "sql", WEEKS)


def why_finds_the_cause(story):
    said = story.type("ana", "why", "gold.depots", *MILL)
    of_that_day = [each for each in deliveries() if (each.depot, str(each.day)) == ("mill", "2026-01-20")]
    assert said.count("silver.deliveries@") == said.count("made again the same") - 1 == len(of_that_day)
    assert "late = coalesce(cast(late as double), ?)" in said
    for each in of_that_day:
        row = f"id={each.id}  depot=mill  day=2026-01-20  load={each.load}  late={each.written}\n"
        assert_tells(said, f"{row}      from in/2026-01-20.csv, record ")
    story.type("sven", "why", "gold.delivery_scores", *SCORE)
    story.type("sven", "tag", "january-report", told=False)


def a_branch_holds_the_fix(story):
    shutil.copytree(story.main / "conf", story.work / "conf")
    (story.work / "in").symlink_to(story.main / "in")
    sql = story.sql(story.work)
    assert BUG in sql.read_text()
    sql.write_text(sql.read_text().replace(BUG, FIX))
    story.told.say("Erik has changed the cast in his own checkout.")
    before = story.versions()
    story.type("erik", "diff", work=True)
    story.type("erik", "run", "+gold.depots", "--branch", "comma", work=True)
    story.type("erik", "diff", "--branch", "comma", "--rows", "2", work=True)
    month = of_days(DAYS - 1)
    touched = {each.id for each in month if each.touched}
    assert len(touched) > 80
    assert story.late(branch="comma") == {each.id: each.late or 0.0 for each in month}
    # Nobody who reads main has seen anything of it.
    assert story.versions() == before and story.late() == {each.id: wrong(each) for each in month}
    found = story.lake(branch="comma").changes(examples=1000)
    silver, gold = found["silver.deliveries"], found["gold.depots"]
    assert (silver.added, silver.removed, silver.changed, silver.columns) == (
        0,
        0,
        len(touched),
        {"late": len(touched)},
    )
    assert {row["key"]["id"] for row in silver.examples["changed"]} == touched
    spread = silver.spread["late"]
    mean = sum(each.late for each in month if each.touched) / len(touched)
    assert (spread["before"]["max"], spread["before"]["nulls"], spread["after"]["min"]) == (0, 0, 0.1)
    assert spread["after"]["mean"] == pytest.approx(mean)
    days = {(each.depot, each.day) for each in month if each.touched}
    assert (gold.added, gold.removed, gold.columns) == (0, 0, {"late": len(days)})
    assert {(row["key"]["depot"], row["key"]["day"]) for row in gold.examples["changed"]} == days
    assert {each.owner for each in silver.reached} == {"reporting", "science"}


def main_goes_on_meanwhile(story):
    drop_days(story.main, DAYS, DAYS)
    story.type("nightly", "run", "+gold.depots", told=False)
    assert story.late() == {each.id: wrong(each) for each in deliveries()}


def promote_publishes_it(story):
    story.told.say("The nightly run has taken up the last day. Erik promotes before his change is merged.")
    before = story.versions()
    story.type("erik", "promote", "comma", code=1)
    assert story.versions() == before
    shutil.copy(story.sql(story.work), story.sql(story.main))
    story.told.say("It is merged.")
    story.type("erik", "promote", "comma")
    assert story.late() == {each.id: each.late or 0.0 for each in deliveries()}
    untouched = {each.id for each in of_days(DAYS - 1) if not each.touched}
    then = story.late(before["silver.deliveries"])
    assert {key: value for key, value in story.late().items() if key in untouched} == {
        key: then[key] for key in untouched
    }
    assert {step.status for step in story.lake().run().steps} == {"skipped"}
    assert {name for name, version in story.versions().items() if version > before.get(name, -1)} == {
        *STEPS, "features.depots", "datasets.late_deliveries", "gold.delivery_scores",
    }  # fmt: skip
    story.type("ana", "sql", WEEKS)


def the_model_follows(story):
    lake, now = story.lake(), story.versions()
    old, new = lake.model("delivery_late", 1), lake.model("delivery_late")
    assert (new.version, new.champion, new.dataset.version) == (2, True, now["datasets.late_deliveries"])
    assert new.dataset.inputs == {
        "features.depots": now["features.depots"],
        "silver.deliveries": now["silver.deliveries"],
    }
    assert old.dataset.version < new.dataset.version
    assert old.dataset.inputs["silver.deliveries"] < new.dataset.inputs["silver.deliveries"]
    known = connect(lake.tracking).search_model_versions("name = 'delivery_late'")
    assert sorted(int(each.version) for each in known) == [1, 2]
    said = story.type("sven", "why", "gold.delivery_scores", *SCORE)
    assert_tells(said, "gold.delivery_scores@1  id=230\n", "label=1", *told_of(new))
    said = story.type("sven", "why", "gold.delivery_scores@january-report", *SCORE)
    assert_tells(said, "gold.delivery_scores@0  id=230\n", "label=0", *told_of(old))
    assert_tells(said, "the step's code or config is another now", "late=19,7\n", "\n2 bronze rows\n")
    moved = lake.diff("gold.delivery_scores", "january-report")
    labels = sum(each.touched and each.late >= 10 for each in of_days(DAYS - 1))
    assert (moved.keys, moved.added, moved.removed, moved.columns["label"]) == (("id",), 12, 0, labels)


def told_of(model):
    """Return what `why` says of a model that gave a score."""
    dataset, made_of = {"datasets.late_deliveries": model.dataset.version}, dict(sorted(model.dataset.inputs.items()))
    told = f"dataset={json.dumps(dataset)}  reads={json.dumps(made_of)}"
    return f"model name=delivery_late  version={model.version}  ", told


def assert_tells(said, *texts):
    assert [text for text in texts if text not in said] == []


def vacuum_keeps_what_is_pinned(story, monkeypatch):
    story.type("sven", "tag", "january-report", "--delete")
    story.type("erik", "branch", "comma", "--delete")
    base = story.main / "conf" / "base.yml"
    base.write_text(base.read_text() + "upkeep: {vacuum: {keep: 1 day}}\n")
    lake = story.lake()
    old = lake.model("delivery_late", 1)
    held, pinned = old.dataset.table.arrow(), old.dataset.inputs["silver.deliveries"]
    gold = story.versions()["gold.depots"]
    with monkeypatch.context() as patched:
        patched.setattr(prepare, "datetime", Later)
        story.type("nightly", "upkeep", told=False)
    lake = story.lake()
    again = lake.model("delivery_late", 1)
    assert again.dataset.table.arrow().equals(held) and again.dataset.inputs == old.dataset.inputs
    assert story.late(pinned) == {each.id: wrong(each) for each in of_days(DAYS - 1)}
    assert again.predict(again.dataset.split("valid")).tolist() == old.predict(old.dataset.split("valid")).tolist()
    story.type("ana", "show", f"gold.depots@{gold - 1}", code=1)
    assert {step.status for step in lake.run().steps if step.kind != "upkeep"} == {"skipped"}


def the_audit_tells_it(story):
    story.type("erik", "audit", "list")
    story.type("erik", "audit", "verify")
    lake = story.lake()
    told = lake.audit()
    assert not lake.verify_audit().broken and all(row["hash"] for row in told)
    (branch,) = [row for row in told if row["action"] == "branch"]
    (promote,) = [row for row in told if row["action"] == "promote"]
    assert {branch["who"], promote["who"]} == {"erik"} and branch["order"] < promote["order"]
    assert promote["detail"] == "comma: silver.deliveries, gold.depots"
    by = [(row["who"], row["table"]) for row in told if row["action"] == "publish" and row["order"] > branch["order"]]
    nightly = [("nightly", table) for table in ("bronze.deliveries", *STEPS)]
    promoted = [("erik", table) for table in STEPS]
    assert by[:5] == [*nightly, *promoted]
    assert sorted(by[5:]) == sorted([*promoted, *[("erik", table) for table in FOLLOWED]])
    # The promote names the run that has built the branch's tables; those are the ones with the fix.
    assert [row["table"] for row in told if row["run"] == promote["run"] and row["action"] == "publish"] == STEPS


@pytest.mark.long
def test_a_bug_that_is_found_a_month_late(tmp_path, spark, monkeypatch):
    for name in ("LAKELOOM_HOME", "LAKELOOM_BRANCH", "LAKELOOM_SAMPLE"):
        monkeypatch.delenv(name, raising=False)
    story = Story(tmp_path, monkeypatch)
    a_month_passes(story)
    why_finds_the_cause(story)
    a_branch_holds_the_fix(story)
    main_goes_on_meanwhile(story)
    promote_publishes_it(story)
    the_model_follows(story)
    vacuum_keeps_what_is_pinned(story, monkeypatch)
    the_audit_tells_it(story)
    agrees("month_late.txt", story.told.text(story.main, story.work, tmp_path))


def test_the_bug_touches_what_the_mill_wrote_with_a_comma_and_nothing_else(tmp_path):
    everything, since = deliveries(), FIRST + timedelta(days=COMMA_SINCE - 1)
    touched = [each for each in everything if each.touched]
    assert {each.depot for each in touched} == {"mill"} and min(each.day for each in touched) >= since
    assert all(float(each.written.replace(",", ".")) == each.late > 0 for each in touched)
    assert {each.written for each in everything if each.late is None} == {""}
    drop_days(lay_out(tmp_path), 1, DAYS)
    lines = [line for file in sorted((tmp_path / "in").iterdir()) for line in file.read_text().splitlines()[1:]]
    assert len(lines) == len(everything) and [line.split(",")[0] for line in lines] == [
        str(each.id) for each in everything
    ]


def test_a_transcript_is_the_same_in_every_run(tmp_path, monkeypatch):
    lay_out(tmp_path)
    told = Transcript(monkeypatch)
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    told.type("ana", tmp_path, "check")
    told.say("what then?")
    told.lines += [
        f"{tmp_path}/in  20260101T000000-000001  12.5 s  1.2 KiB", " 20260101T000000-000002    20260101T000000-000001",
        " gold.a     done     12    1.5     new",
    ]  # fmt: skip
    assert told.text(tmp_path).splitlines() == [
        "ana$ lakeloom check", "no mistakes", "", "# what then?", "", "in  RUN-1  N s  N bytes", " RUN-2  RUN-1",
        " gold.a  done  12  N  new",
    ]  # fmt: skip
