"""Cleansing: verbs that mend the rows of a frame, from YAML and from Python, all of them Spark's own work.

A verb is a class with its ``Config`` beside it; a dotted name ``package.module:Class`` in place of a
verb's name is imported, so a project brings verbs of its own. What a verb can't make sense of is never
silently NULL: the row goes to quarantine with the reason ``<verb>:<column>``.

>>> from lakeloom.cleansing import clean                                   # doctest: +SKIP
>>> clean(frame, [{"trim": ["name"]}, {"lower": ["email"]}])               # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lakeloom.cleansing.apply import clean

__all__ = ["VERBS", "clean"]

VERBS = {
    "trim": "lakeloom.cleansing.text:Trim",
    "lower": "lakeloom.cleansing.text:Lower",
    "upper": "lakeloom.cleansing.text:Upper",
    "title": "lakeloom.cleansing.text:Title",
    "normalise": "lakeloom.cleansing.unicode:Normalise",
    "replace": "lakeloom.cleansing.patterns:Replace",
    "extract": "lakeloom.cleansing.patterns:Extract",
    "parse": "lakeloom.cleansing.parsing:Parse",
    "convert": "lakeloom.cleansing.units:Convert",
    "map": "lakeloom.cleansing.codes:Map",
    "nullify": "lakeloom.cleansing.nulls:Nullify",
    "fill": "lakeloom.cleansing.nulls:Fill",
    "coalesce": "lakeloom.cleansing.nulls:Coalesce",
    "require": "lakeloom.cleansing.nulls:Require",
    "deduplicate": "lakeloom.cleansing.duplicates:Deduplicate",
    "flatten": "lakeloom.cleansing.nested:Flatten",
    "explode": "lakeloom.cleansing.nested:Explode",
    "from_json": "lakeloom.cleansing.documents:FromJson",
    "from_avro": "lakeloom.cleansing.avro:FromAvro",
    "to_json": "lakeloom.cleansing.documents:ToJson",
    "to_avro": "lakeloom.cleansing.avro:ToAvro",
    "key": "lakeloom.cleansing.keys:Key",
    "calendar": "lakeloom.cleansing.dates:Calendar",
    "rename": "lakeloom.cleansing.columns:Rename",
    "drop": "lakeloom.cleansing.columns:Drop",
}


def __getattr__(name: str) -> Any:
    # Loaded when it is first used: apply reads this table.
    if name != "clean":
        raise AttributeError(f"module 'lakeloom.cleansing' has no attribute '{name}'")
    from lakeloom.cleansing.apply import clean

    return clean
