"""Rules to and from great-expectations' suites: plain dictionaries, the form of its JSON.

What a suite can't say of a rule (its level, its name, how NULL counts) travels in the expectation's
``meta`` under ``lakeloom``, so that a suite that was exported comes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lakeloom.quality.arguments import ARGUMENTS, OFFICIAL, in_short
from lakeloom.quality.expectations import BY_NAME, NOT_TAKEN, Expectation
from lakeloom.quality.spec import RuleSpec

META = "lakeloom"
_LEVELS = {"critical": "fail", "warning": "warn", "info": "warn"}
# Keys of great-expectations that say nothing about the data.
_SILENT = frozenset(
    {
        *("batch_id", "result_format", "catch_exceptions", "include_config", "meta", "notes", "description"),
        # Figures are exact here, whatever error was allowed.
        "allow_relative_error",
    }
)


@dataclass(frozen=True)
class Taken:
    """What a suite gave: rules as the config writes them, and what could not be taken, with the reason."""

    rules: tuple[dict[str, Any], ...]
    left: tuple[tuple[str, str], ...]


def expectation_of(rule: RuleSpec) -> dict[str, Any] | None:
    """Return a rule as great-expectations' ``{type, kwargs, meta, severity}``; None where it has no such thing."""
    expectation = rule.expectation
    if expectation is None:
        kwargs = {"unexpected_rows_query": _query(rule)}
        official = "unexpected_rows_expectation"
    elif expectation.official:
        kwargs, official = arguments_of(rule, expectation), expectation.official
    else:
        return None
    kept = {key: value for key, value in _kept(rule).items() if value is not None}
    # Critical is the default; releases before 1.5 know no severity.
    mild = {"severity": "warning"} if rule.otherwise == "warn" else {}
    return {"type": official, "kwargs": kwargs, "meta": {META: kept} if kept else {}, **mild}


def arguments_of(rule: RuleSpec, expectation: Expectation) -> dict[str, Any]:
    """Return a rule's arguments by great-expectations' names."""
    kwargs: dict[str, Any] = {"column": rule.column} if rule.column else {}
    if rule.columns:
        if expectation.on == "pair":
            kwargs["column_A"], kwargs["column_B"] = rule.columns
        else:
            kwargs["column_set" if expectation.name == "columns_match_set" else "column_list"] = list(rule.columns)
    for name in ARGUMENTS:
        value = getattr(rule, name)
        if name not in rule.model_fields_set or value is None or name in ("options", "order_by"):
            continue
        if name == "quantiles":
            ranges = [list(bounds) for bounds in value.values()]
            kwargs["quantile_ranges"] = {"quantiles": list(value), "value_ranges": ranges}
        else:
            kwargs[_official(name, expectation)] = _plain(value)
    if expectation.name == "z_score_below":
        kwargs.setdefault("double_sided", rule.double_sided)
    if rule.at_most is not None:
        kwargs["mostly"] = round(1 - rule.at_most, 12)
    return kwargs | rule.options


def rules_of(expectations: Iterable[Any]) -> Taken:
    """Return the rules of a suite's expectations, of the form 1.x (``type``) or 0.x (``expectation_type``)."""
    rules, left, names = [], [], set()
    for number, each in enumerate(expectations, start=1):
        official = str(each.get("type") or each.get("expectation_type")) if isinstance(each, dict) else ""
        try:
            rule = _rule(official, each)
            spec = RuleSpec.model_validate(rule)
        except ValidationError as wrong:
            left.append((official, "; ".join(error["msg"] for error in wrong.errors(include_url=False))))
            continue
        except ValueError as wrong:
            left.append((official or f"expectation {number}", str(wrong)))
            continue
        if spec.title in names:
            rule["name"] = f"{spec.title} {number}"
        names.add(rule.get("name", spec.title))
        rules.append(rule)
    return Taken(tuple(rules), tuple(left))


def _rule(official: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return one expectation as the config writes it; raises ValueError where it can't be taken."""
    expectation = BY_NAME.get(official)
    if expectation is None or expectation.official != official:
        raise ValueError(NOT_TAKEN.get(official, "it is none of great-expectations' own expectations"))
    kwargs = {key: value for key, value in (data.get("kwargs") or {}).items() if value is not None}
    mine = ((data.get("meta") or {}).get(META)) or {}
    level = mine.get("otherwise") or _LEVELS.get(str(data.get("severity") or "critical"), "fail")
    if mine.get("sql"):
        return mine | {"otherwise": level}
    _refuse_foreign(kwargs)
    mostly = kwargs.pop("mostly", 1)
    rule: dict[str, Any] = {"column": kwargs.pop("column")} if "column" in kwargs else {}
    if "column_A" in kwargs:
        rule["columns"] = [kwargs.pop("column_A"), kwargs.pop("column_B", None)]
    rule["expect"] = expectation.name
    silent = _SILENT if "ignore" in expectation.takes else _SILENT | {"ignore_row_if"}
    rule |= in_short({key: value for key, value in kwargs.items() if key not in silent})
    if mostly != 1:
        rule["at_most"] = round(1 - mostly, 12)
    return rule | {key: value for key, value in mine.items() if value is not None} | {"otherwise": level}


def _refuse_foreign(kwargs: dict[str, Any]) -> None:
    """Raise ValueError for what changes which rows are judged, or has no value; take its companions out."""
    if kwargs.pop("row_condition", None) is not None:
        raise ValueError("a rule has no row_condition; write an sql rule: not (<condition>) or <what must hold>")
    kwargs.pop("condition_parser", None)
    if any(isinstance(value, dict) and "$PARAMETER" in value for value in kwargs.values()):
        raise ValueError("a parameter ($PARAMETER) has no value here")


def _kept(rule: RuleSpec) -> dict[str, Any]:
    return {
        "otherwise": rule.otherwise if rule.otherwise == "quarantine" else None,
        "name": rule.name,
        "nulls": rule.nulls,
        "order_by": rule.order_by,
        "sql": rule.sql,
        # At most none is not the same as saying nothing: a quarantine rule then stops the step.
        "at_most": rule.at_most if rule.sql or rule.at_most == 0 else None,
    }


def _query(rule: RuleSpec) -> str:
    """Return an SQL rule as the query of its unexpected rows; great-expectations takes braces for its own."""
    condition = str(rule.sql).replace("{", "{{").replace("}", "}}")
    null = "true" if not rule.null_breaks else "false"
    return f"SELECT * FROM {{batch}} WHERE NOT coalesce({condition}, {null})"  # noqa: S608  the rule's own SQL


def _official(name: str, expectation: Expectation) -> str:
    theirs = [official for official, short in OFFICIAL.items() if short == name]
    if len(theirs) > 1:
        like = "_like" in expectation.name
        theirs = [each for each in theirs if each.startswith("like") == like]
    return theirs[0] if theirs else name


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def exported(rules: Sequence[RuleSpec]) -> Taken:
    """Return rules as a suite's expectations, and the names of those that great-expectations has no word for."""
    found, left = [], []
    for rule in rules:
        expectation = expectation_of(rule)
        if expectation is None:
            left.append((rule.title, "great-expectations has no such expectation"))
        else:
            found.append(expectation)
    return Taken(tuple(found), tuple(left))
