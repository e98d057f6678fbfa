"""A dataset at a tag: made of the versions that it names, whatever has come to its tables since."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakeloom.config.load import read
from lakeloom.core.errors import LakeloomError
from lakeloom.flow.context import Context
from lakeloom.flow.decision import look
from lakeloom.flow.planning import plan
from lakeloom.flow.prepare import Ready, prepare
from lakeloom.project.check import check, checked
from lakeloom.project.graph import meaning, steps
from lakeloom.store import refs
from lakeloom.store.lake import Lake
from lakeloom.store.tags import tag
from tests.trips import lay_out

AT = datetime(2026, 1, 5, tzinfo=UTC)
TABLES = ("silver.trips", "features.lines")


@pytest.fixture
def conf(tmp_path, monkeypatch):
    monkeypatch.delenv("LAKELOOM_HOME", raising=False)
    return lay_out(tmp_path)


def said(conf, word):
    models = conf / "trips" / "models.yml"
    models.write_text(models.read_text().replace("    as_of: leaves_at", f"    {word}\n    as_of: leaves_at"))
    return read(conf)


def written(lake):
    for name in TABLES:
        write_deltalake(lake.path(name), pa.table({"n": [1]}), mode="append")
        refs.publish(lake, {name: lake.version(name)}, step=name, epoch=1, run="r", at=AT)


def test_it_reads_the_tag_s_versions_and_moves_with_no_table(conf):
    plain = {step.name: step.code for step in steps(checked(read(conf)))}
    project = checked(said(conf, "at: release-7"))
    step = next(step for step in steps(project) if step.name == "datasets.late_trips")
    assert step.code != plain[step.name]
    lake = Lake(project.root)
    written(lake)
    context = Context.of(project, "first")
    with pytest.raises(LakeloomError) as caught:
        prepare(context, step)
    assert caught.value.code == "LL-STORE-002" and caught.value.fix == "make it: lakeloom tag release-7"
    planned = {each.step.name: each for each in plan(project, ["datasets.*"])}[step.name]
    assert planned.reasons[0].startswith("it will fail") and set(planned.reads.values()) == {None}
    tag(lake, "release-7", dict.fromkeys(TABLES, 0), who="ada", at=AT)
    written(lake)
    ready = prepare(context, step)
    assert isinstance(ready, Ready) and ready.intent.reads == dict.fromkeys(TABLES, 0)
    context.intents.finish(ready.intent, {"versions": {step.name: 0}})
    written(lake)
    assert look(context, step, refs.good(lake) | dict.fromkeys(TABLES, 0)).action == "skip"
    planned = {each.step.name: each for each in plan(project)}[step.name]
    assert (planned.action, planned.reads) == ("skip", dict.fromkeys(TABLES, 0))


def test_a_dataset_without_a_tag_is_what_it_was(conf):
    """Its hash must not move, or every dataset and model would be made again."""
    project = checked(read(conf))
    spec = project.datasets["late_trips"]
    assert "at" not in meaning(spec) and "at" in spec.model_dump()


@pytest.mark.parametrize("word", ["at: 7", "at: '2026-01-31'", "at: a b"])
def test_what_is_no_tag_is_a_finding(conf, word):
    assert {finding.code for finding in check(said(conf, word))[1]} == {"LL-CONF-004"}
