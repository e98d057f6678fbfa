"""What specs are made of: the strict model, and values written as words: a duration (``6 hours``), a share (``1%``)."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from lakeloom.core import durations
from lakeloom.core.durations import Duration
from lakeloom.core.errors import ConfigError


class Strict(BaseModel):
    """A frozen model that forbids unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    try:
        return durations.parse(str(value))
    except ConfigError as wrong:
        raise ValueError(wrong.message) from None


def share(value: Any) -> float:
    """Read ``1%`` or ``0.01``; raises ValueError for what is no share from 0 to 1."""
    text = str(value).strip()
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise ValueError(f"'{text}' is not a share: write 1% or 0.01")
    return number


DurationText = Annotated[
    Duration,
    BeforeValidator(_duration),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": durations.PATTERN, "examples": ["6 hours"]}),
]
Share = Annotated[
    float,
    BeforeValidator(share),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}], "examples": ["1%"]}),
]
