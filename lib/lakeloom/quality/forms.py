"""The forms that a text can have for a value of another type: what `parse` of cleansing would be told.

Each names the verb's arguments; how many texts fit is counted by the very verb, so that what is proposed is
what a run does. `SHAPES` says which texts are worth the try.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Form:
    """A type, what ``parse`` needs to be told to read it, and a pattern of the texts that could be one."""

    type: str
    shape: str
    more: dict[str, Any] = field(default_factory=dict)


_D, _T = r"\d{1,2}", r" \d{1,2}:\d{2}(:\d{2})?$"
_CLOCK = " HH:mm[:ss]"
# Ordered by preference: the first that all texts fit is proposed.
FORMS: dict[str, Form] = {
    "boolean": Form("boolean", r"(?i)^(true|false|yes|no|t|f|y|n)$"),
    "whole": Form("bigint", r"^[+-]?\d{1,18}$"),
    "number": Form("double", r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"),
    "number with a comma": Form(
        "double", r"^[+-]?\d{1,3}(\.\d{3})*(,\d+)?$|^[+-]?\d+,\d+$", {"decimal": ",", "group": "."}
    ),
    "yyyy-MM-dd": Form("date", r"^\d{4}-\d{2}-\d{2}$"),
    "yyyy/MM/dd": Form("date", r"^\d{4}/\d{2}/\d{2}$", {"formats": ["yyyy/MM/dd"]}),
    "yyyyMMdd": Form("date", r"^(19|20)\d{6}$", {"formats": ["yyyyMMdd"]}),
    "dd.MM.yyyy": Form("date", rf"^{_D}\.{_D}\.\d{{4}}$", {"formats": ["d.M.yyyy"]}),
    "dd-MM-yyyy": Form("date", rf"^{_D}-{_D}-\d{{4}}$", {"formats": ["d-M-yyyy"]}),
    "dd/MM/yyyy": Form("date", rf"^{_D}/{_D}/\d{{4}}$", {"formats": ["d/M/yyyy"]}),
    "MM/dd/yyyy": Form("date", rf"^{_D}/{_D}/\d{{4}}$", {"formats": ["M/d/yyyy"]}),
    "ISO 8601": Form("timestamp", r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"),
    "yyyy/MM/dd HH:mm": Form("timestamp", rf"^\d{{4}}/\d{{2}}/\d{{2}}{_T}", {"formats": [f"yyyy/MM/dd{_CLOCK}"]}),
    "dd.MM.yyyy HH:mm": Form("timestamp", rf"^{_D}\.{_D}\.\d{{4}}{_T}", {"formats": [f"d.M.yyyy{_CLOCK}"]}),
    "dd/MM/yyyy HH:mm": Form("timestamp", rf"^{_D}/{_D}/\d{{4}}{_T}", {"formats": [f"d/M/yyyy{_CLOCK}"]}),
    "MM/dd/yyyy HH:mm": Form("timestamp", rf"^{_D}/{_D}/\d{{4}}{_T}", {"formats": [f"M/d/yyyy{_CLOCK}"]}),
}
# Forms that read the same text as another day.
RIVALS = {
    "dd/MM/yyyy": "MM/dd/yyyy", "MM/dd/yyyy": "dd/MM/yyyy",
    "dd/MM/yyyy HH:mm": "MM/dd/yyyy HH:mm", "MM/dd/yyyy HH:mm": "dd/MM/yyyy HH:mm",
}  # fmt: skip
# Texts that stand for nothing in files of many makers.
BLANKS = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-", "?")
