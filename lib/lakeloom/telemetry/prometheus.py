"""Samples → Prometheus' text exposition.

Source: Prometheus, "Exposition formats", text format 0.0.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from lakeloom.telemetry.samples import Sample


def text(samples: Iterable[Sample]) -> str:
    """Return the text; samples of one metric stand side by side."""
    lines: list[str] = []
    last = ""
    for sample in samples:
        if sample.name != last:
            lines += [f"# HELP {sample.name} {_help(sample.help)}", f"# TYPE {sample.name} gauge"]
            last = sample.name
        labels = ",".join(f'{name}="{_label(value)}"' for name, value in sample.labels)
        lines.append(f"{sample.name}{{{labels}}} {_number(sample.value)}")
    return "\n".join(lines) + "\n"


def _label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
