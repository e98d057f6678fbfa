"""The pages made from the code: the config's JSON Schema for editors, error codes, the table of expectations.

``docs/generate.py`` writes them; a test holds the committed files to what this module says.
"""

from __future__ import annotations

import json
from typing import Any

from lakeloom.core import durations
from lakeloom.core.codes import CODES
from lakeloom.core.kinds import load

_FAMILIES = {
    "CONF": "Config (exit code 2)",
    "SOURCE": "Sources",
    "TABLE": "Tables and queries",
    "RULE": "Rules",
    "FIX": "Fixes of quarantined rows",
    "CLEAN": "Cleansing",
    "STREAM": "Streaming tables",
    "STORE": "Storage",
    "LINEAGE": "Lineage",
    "FEATURE": "Features",
    "TRAIN": "Training",
    "RUN": "Runs",
    "BRANCH": "Branches",
    "EXPORT": "Exports of the graph",
    "SINK": "Sinks",
    "TEST": "Tests of a project",
    "SETUP": "The machine",
}
# Where the table of expectations stands in the guide.
BEGIN, END = "<!-- expectations -->", "<!-- end -->"


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema of a project's YAML files: any of them may hold any of the sections."""
    from pydantic.json_schema import models_json_schema

    from lakeloom.datasets.spec import DatasetSpec
    from lakeloom.features.spec import FeatureView
    from lakeloom.notify import CHANNELS
    from lakeloom.project.sensing import EVENTS
    from lakeloom.project.spec import Settings
    from lakeloom.sinks import SINKS
    from lakeloom.sinks.spec import ExportWords
    from lakeloom.sources import SOURCES
    from lakeloom.tables.spec import TableSpec
    from lakeloom.tables.upkeep import UpkeepSpec
    from lakeloom.training.spec import ModelSpec

    kinds = {name: load(dotted).Config for name, dotted in SOURCES.items()}
    channels = [load(dotted).Config for dotted in CHANNELS.values()]
    sinks = {name: load(dotted).Config for name, dotted in SINKS.items()}
    models = [
        Settings,
        TableSpec,
        FeatureView,
        DatasetSpec,
        ModelSpec,
        UpkeepSpec,
        ExportWords,
        *kinds.values(),
        *channels,
    ]
    models += sinks.values()
    keys, shared = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/$defs/{model}", by_alias=True
    )

    def entries(*found: Any) -> dict[str, Any]:
        refs = [keys[(model, "validation")] for model in found]
        return {"type": "object", "additionalProperties": refs[0] if len(refs) == 1 else {"anyOf": refs}}

    definitions = dict(shared["$defs"])
    settings = definitions.pop(keys[(Settings, "validation")]["$ref"].rpartition("/")[2])
    for kind in kinds.values():
        definitions[keys[(kind, "validation")]["$ref"].rpartition("/")[2]]["properties"] |= {
            "owner": {"type": "string"},
            "description": {"type": "string"},
            "freshness": {"type": "string", "pattern": durations.PATTERN},
            "quarantine_above": {"type": ["string", "number"]},
            "timeout": {"type": "string", "pattern": durations.PATTERN},
            "when": {"anyOf": [{"enum": list(EVENTS)}, {"type": "object", "additionalProperties": {"type": "string"}}]},
            "upkeep": keys[(UpkeepSpec, "validation")],
            "sample": {"anyOf": [{"enum": ["rows", "whole"]}, {"type": "array", "items": {"type": "string"}}]},
        }
    _with_sinks(definitions, keys, sinks)
    notify = {"type": "array", "items": {"anyOf": [keys[(channel, "validation")] for channel in channels]}}
    sections = {
        "notify": notify,
        "sources": entries(*kinds.values()),
        "tables": entries(TableSpec),
        "features": entries(FeatureView),
        "datasets": entries(DatasetSpec),
        "models": entries(ModelSpec),
        "exports": entries(ExportWords),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lakeloom's config",
        "type": "object",
        "additionalProperties": False,
        "properties": settings["properties"] | sections,
        "$defs": definitions,
    }


def _with_sinks(definitions: dict[str, Any], keys: Any, sinks: dict[str, Any]) -> None:
    """Let an export's ``to`` be an address, with the words of objects beside it, or a mapping of its kind."""
    from lakeloom.sinks.spec import ExportWords

    def of(model: Any) -> dict[str, Any]:
        found: dict[str, Any] = definitions[keys[(model, "validation")]["$ref"].rpartition("/")[2]]
        return found

    words, beside = of(ExportWords), of(sinks["objects"])
    words["properties"] |= {name: each for name, each in beside["properties"].items() if name != "path"}
    for name, model in sinks.items():
        told = of(model)
        told["properties"]["kind"] = {"const": name}
        told["required"] = ["kind", *told.get("required", ())]
    words["properties"]["to"] = {
        "anyOf": [{"type": "string"}, *(keys[(each, "validation")] for each in sinks.values())]
    }


def schema_text() -> str:
    """Return the JSON Schema as the committed file holds it."""
    return json.dumps(config_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def expectations_text() -> str:
    """Return the table of all expectations, for the guide's page on rules."""
    from lakeloom.quality.expectations import EXPECTATIONS

    lines = ["| short name | great-expectations' name | arguments | judged | NULL |", "|---|---|---|---|---|"]
    for each in EXPECTATIONS:
        how = "each row, in the one pass" if each.scope == "row" else "the table"
        if not each.compiled:
            how = "by great-expectations itself"
        named = ", ".join(f"`{name}`" for name in (each.name, *each.also))
        official = f"`{each.official}`" if each.official else "—"
        takes = ", ".join(f"`{name}`" for name in each.takes) or "—"
        lines.append(f"| {named} | {official} | {takes} | {how} | {each.nulls} |")
    return "\n".join(lines) + "\n"


def with_expectations(page: str) -> str:
    """Return the guide's page on rules with the table between its marks."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n{expectations_text()}{END}{rest.partition(END)[2]}"


def errors_text() -> str:
    """Return ``docs/errors.md``: every code, what it means and what to do."""
    lines = [
        "# Error codes",
        "",
        "Made from `lakeloom.core.codes` by `make docs`. An error names its code, its place, what is wrong",
        "and the fix; no message carries a secret or a row's values. Add `--debug` for a traceback.",
    ]
    for family, title in _FAMILIES.items():
        lines += ["", f"## {title}", "", "| code | what it means and what to do |", "|---|---|"]
        lines += [f"| `{code}` | {text} |" for code, text in CODES.items() if code.split("-")[1] == family]
    return "\n".join(lines) + "\n"
