"""Secrets: values that are used and never shown.

A resolved secret is remembered by this module so that `mask` can take it out of any text that is
about to leave the process: error messages, logs, commit metadata, MLflow. A `Secret` prints as
``***`` and pickles, since executors need it.
"""

from __future__ import annotations

import logging
import re

_KNOWN: set[str] = set()
SHOWN = "***"
# user:password@ in a URL, and password=… in a JDBC URL, even where the value was never registered.
_IN_URL = re.compile(r"(?i)(://[^/\s:@]+:)[^@\s/]+(@)")
_IN_PAIR = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token|api_?key|access_?key)(\s*[=:]\s*)(?!\*\*\*)[^\s;&,'\"]+"
)


class Secret:
    """A string that shows itself as ``***``; `reveal` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        remember(value)

    def reveal(self) -> str:
        """Return the value. Call it only where the value is handed to a driver or an SDK."""
        return self._value

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return (Secret, (self._value,))


def reveal(text: str | Secret) -> str:
    """Return the value of a text that may be a secret."""
    return text.reveal() if isinstance(text, Secret) else text


def remember(value: str) -> None:
    """Register a secret's value, so that `mask` takes it out of every text.

    Values shorter than four characters are not registered: masking them would blank out
    unrelated text without hiding anything.
    """
    if len(value) >= 4:
        _KNOWN.add(value)


def mask(text: str) -> str:
    """Return `text` without any known secret and without passwords in URLs or ``password=`` pairs."""
    for value in sorted(_KNOWN, key=len, reverse=True):
        if value in text:
            text = text.replace(value, SHOWN)
    text = _IN_URL.sub(rf"\g<1>{SHOWN}\g<2>", text)
    return _IN_PAIR.sub(rf"\g<1>\g<2>{SHOWN}", text)


def masked_traceback(error: BaseException) -> str:
    """Return an error with its traceback as Python writes it, without any secret."""
    import traceback

    return mask("".join(traceback.format_exception(error)))


class MaskingFilter(logging.Filter):
    """Masks every log record that passes; installed on the root handler by the command line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the record's message and traceback by their masked text and let it pass."""
        record.msg = mask(record.getMessage())
        record.args = ()
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        for name in ("exc_text", "stack_info"):
            if getattr(record, name):
                setattr(record, name, mask(getattr(record, name)))
        return True
