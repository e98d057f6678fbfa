"""The report as a document: well-formed, self-contained, escaped, whole with any part missing."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from lakeloom.core.secrets import remember
from lakeloom.pages.model import Lineage, QuarantineFact, Report, StepFact
from lakeloom.pages.report import render
from tests.pages import sample

VOID = {"meta", "br", "link", "img", "input", "hr", "wbr"}
SECTIONS = ("model", "insight", "training", "steps", "tables", "quality", "lineage", "provenance", "notes")


class Reader(HTMLParser):
    """Checks that every element is closed in order, and keeps what the tests ask for."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute stands twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes the wrong element"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def sections(reader: Reader) -> list[str]:
    return [attrs["id"] or "" for tag, attrs in reader.tags if tag == "section" and "id" in attrs]


def inject(value: Any, text: str) -> Any:
    """Append `text` to every string in the facts, keys of mappings but the known ones included."""
    if isinstance(value, str):
        return value + text
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{f.name: inject(getattr(value, f.name), text) for f in dataclasses.fields(value)}
        )
    if isinstance(value, dict):
        named = set(value) & {"flight_late", "boosting", "lr", "config_hash", "silver.flights"}
        return {key + text if key in named else key: inject(item, text) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(inject(item, text) for item in value)
    return value


def test_a_whole_report_is_well_formed_and_has_every_section() -> None:
    reader = read(render(sample.report()))
    assert sections(reader) == list(SECTIONS)
    for words in ("336,776", "0.7702", "14.8\u00a0MB", "8,255 cancelled flights", "2026-11-22 22:38:47 UTC"):
        assert words in "".join(reader.texts)
    assert {attrs.get("href") for tag, attrs in reader.tags if tag == "a"} == {"#main", *(f"#{s}" for s in SECTIONS)}


def test_ids_are_unique_and_every_drawing_has_a_label() -> None:
    reader = read(render(sample.report()))
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    drawings = [attrs for tag, attrs in reader.tags if tag == "svg"]
    assert len(drawings) >= 12
    assert all(attrs.get("aria-label") for attrs in drawings)


def test_nothing_is_fetched_from_elsewhere() -> None:
    html = render(sample.report())
    assert [url for url in re.findall(r"(?:https?:)?//[\w.-]+", html) if url != "http://www.w3.org"] == []
    reader = read(html)
    assert not {tag for tag, _ in reader.tags} & {"link", "img", "iframe", "object", "embed", "base", "use", "image"}
    assert not any("src" in attrs for _, attrs in reader.tags)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp|@font-face", html)


def test_the_policy_allows_the_one_script_by_its_hash() -> None:
    import base64
    import hashlib

    html = render(sample.report())
    script = re.search(r"<script>(.*?)</script>", html, re.S)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.replace("&#39;", "'")
    assert html.count("<script") == 1


@pytest.mark.parametrize("payload", [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'--></style><svg onload=alert(1)>",
    "{{ 7 * 7 }}</title></textarea>",
])  # fmt: skip
def test_every_text_is_escaped(payload: str) -> None:
    plain = read(render(sample.report()))
    html = render(inject(sample.report(), payload))
    reader = read(html)
    assert payload not in html
    assert html.count("<script") == 1
    assert not any(name.startswith("on") for _, attrs in reader.tags for name in attrs)
    assert {tag for tag, _ in reader.tags} <= {tag for tag, _ in plain.tags} | {"section"}
    assert reader.text.count(payload) > 100


def test_texts_without_sense_are_made_visible_and_encodable() -> None:
    html = render(sample.report(title="a\x00b\u202ec\ud800d"))
    assert "a\ufffdb\ufffdc\ufffdd" in html
    html.encode("utf-8")


def test_a_secret_in_a_reason_is_masked() -> None:
    remember("hunter22secret")
    step = StepFact("bronze.planes", "land", "failed", "refused hunter22secret at jdbc:x://u:pw@h?password=abc")
    html = render(sample.report(steps=(step,), notes=("hunter22secret",)))
    assert "hunter22secret" not in html
    assert "pw@" not in html
    assert "password=abc" not in html


def test_a_run_without_a_model_has_no_model_sections() -> None:
    reader = read(render(sample.report(evaluation=None, model=None)))
    assert sections(reader) == ["steps", "tables", "quality", "lineage", "notes"]


def test_a_failed_step_is_told_at_the_top() -> None:
    steps = (StepFact("silver.flights", "refine", "failed", "LL-RUN-004 the transform failed", seconds=1.0),
             StepFact("gold.x", "refine", "not run", "upstream failed"))  # fmt: skip
    reader = read(render(sample.report(status="failed", steps=steps, finished=None)))
    assert "1 step failed silver.flights : LL-RUN-004 the transform failed" in reader.text
    assert "1 failed , 1 not run" in reader.text or "1 failed, 1 not run" in reader.text
    assert any(attrs.get("role") == "alert" for _, attrs in reader.tags)


def test_what_cleansing_changed_is_told() -> None:
    assert "silver.flights 1 trim 1,204 silver.flights 2 deduplicate 41" in read(render(sample.report())).text
    alone = read(render(sample.report(quarantine=(), rules=())))
    assert "quality" in sections(alone) and "Rows changed" in alone.text


def test_no_quarantine_is_said() -> None:
    assert "No row is in quarantine." in read(render(sample.report(quarantine=()))).text
    reader = read(render(sample.report(quarantine=(QuarantineFact("silver.x", "rule", 0),), rules=(), changes=())))
    assert "quality" not in sections(reader)


def test_an_empty_run_is_a_page() -> None:
    empty = Report("Nothing", "empty", "r0", datetime(2026, 1, 1), None, "done")
    reader = read(render(empty))
    assert sections(reader) == ["steps"]
    assert "The run had no steps." in reader.text


@pytest.mark.parametrize("part", ["dataset", "models", "importance", "groups", "tuning", "epochs"])
def test_any_part_of_the_evaluation_may_be_missing_or_alone(part: str) -> None:
    whole = sample.evaluation()
    read(render(sample.report(evaluation={key: value for key, value in whole.items() if key != part})))
    read(render(sample.report(evaluation={part: whole[part]}, model=None)))
    read(render(sample.report(evaluation={**whole, part: type(whole[part])()})))
    read(render(sample.report(evaluation={**whole, part: None})))


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf"), "text"])
def test_numbers_that_are_none_do_not_break_a_page(nothing: object) -> None:
    def spoil(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, list):
            return [spoil(item) for item in value]
        return nothing if isinstance(value, float) else value

    html = render(sample.report(evaluation=spoil(sample.evaluation()), steps=(StepFact("a", "land", "done"),)))
    read(html)
    assert "nan" not in re.sub(r"<script>.*?</script>|<style>.*?</style>", "", html, flags=re.S).lower().split()
    assert not re.search(r'\s(?:x|y|cx|cy|width|points|d)="[^"]*(?:nan|inf)', html)


def test_every_failed_trial_and_single_points_are_drawn() -> None:
    facts = {
        "tuning": [{"trial": 0, "status": "failed", "loss": None, "seconds": 1, "parameters": {}}],
        "epochs": [{"epoch": 1, "train_loss": 0.5, "valid_loss": 0.5, "valid_average_precision": 0.1}],
        "models": {"m": {"kind": "x", "splits": {}, "curves": {"roc": {"fpr": [0], "tpr": [0]}}}},
    }
    assert "Tuning history" in read(render(sample.report(evaluation=facts, model=None))).text


def test_a_page_stays_small_and_is_the_same_every_time() -> None:
    first, second = render(sample.report()), render(sample.report())
    assert first == second
    assert len(first) < 400_000


def test_a_report_survives_json() -> None:
    report = sample.report()
    facts = json.loads(json.dumps(dataclasses.asdict(report), default=str))
    back = Report.from_facts(facts)
    assert back.started == report.started
    assert back.lineage == report.lineage
    assert back.steps == report.steps
    assert render(back) == render(report)
    bare = Report.from_facts({"title": "t", "project": "p", "run_id": "r", "started": "2026-01-01T00:00:00+00:00",
                              "finished": None, "status": "done"})  # fmt: skip
    assert bare.lineage == Lineage()
    with pytest.raises(TypeError):
        Report.from_facts({**facts, "surprise": 1})
