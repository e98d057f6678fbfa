"""What only great-expectations can judge, judged by it: on the same frame, in memory, telling nobody.

Its context is ephemeral, its analytics are off, and no row's value gets into a result or an error.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lakeloom.core.extras import coded
from lakeloom.quality.columns import wrong
from lakeloom.quality.results import RuleResult
from lakeloom.quality.spec import RuleSpec
from lakeloom.quality.suites import expectation_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

QUIET = {"GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true"}


def validate(frame: DataFrame, rules: Sequence[RuleSpec], where: str = "") -> list[RuleResult]:
    """Return what great-expectations finds for `rules` on the whole of `frame`.

    Raises
    ------
    SetupError
        LL-SETUP-003 where great-expectations is not installed.
    RuleError
        LL-RULE-003 where it can't carry a rule out.
    """
    with coded(where):
        outcomes = run_suite(frame, [expectation_of(rule) or {} for rule in rules])
    found = []
    for rule, outcome in zip(rules, outcomes, strict=True):
        raised = _raised(outcome)
        if raised:
            raise wrong(rule, f"great-expectations can't carry it out: {raised}", where)
        result = outcome["result"]
        # Its element count holds the NULLs, of which shares are none.
        checked = int(result.get("element_count") or 0) - int(result.get("missing_count") or 0)
        passed, broken = bool(outcome["success"]), int(result.get("unexpected_count") or 0)
        observed = result.get("observed_value")
        observed = observed if isinstance(observed, int | float) and not isinstance(observed, bool) else None
        stops = not passed and rule.otherwise == "fail"
        found.append(RuleResult(rule.title, rule.column, rule.otherwise, checked, broken, passed, stops, observed))
    return found


def run_suite(frame: DataFrame, expectations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return great-expectations' result of each expectation, in their order, as plain data without values."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # It copies frames into Spark's cache by default.
    source = context.data_sources.add_spark("table", persist=False)
    batch = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    numbered = [{**each, "id": None, "meta": {**each.get("meta", {}), "at": n}} for n, each in enumerate(expectations)]
    suite = gx.ExpectationSuite(name="rules", expectations=numbered)
    found = batch.get_batch({"dataframe": frame}).validate(suite, result_format="BASIC")
    # Its results come back in an order of their own.
    placed = {each["expectation_config"]["meta"]["at"]: each for each in found.to_json_dict()["results"]}
    return [placed[number] for number in range(len(expectations))]


def _raised(outcome: dict[str, Any]) -> str:
    """Return the kinds of what was raised; a message may carry a row's values."""
    info = outcome.get("exception_info") or {}
    each = [info] if "raised_exception" in info else list(info.values())
    texts = [str(one.get("exception_traceback") or "") for one in each if one.get("raised_exception")]
    kinds = [text.strip().splitlines()[-1].partition(":")[0].rpartition(".")[2] for text in texts if text.strip()]
    return ", ".join(dict.fromkeys(kinds)) or ("an error" if texts else "")
