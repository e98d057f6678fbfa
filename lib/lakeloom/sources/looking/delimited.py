"""How a text of delimited values is written: separator, quotes, whether its first line names the columns. Pure.

A separator is right where it cuts (almost) all records into equally many fields. A first line is a header where its
fields differ, none is a number or a date, and below it something else stands.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_SEPARATORS = (",", ";", "\t", "|", "^", "~")
_SAME = 0.9
_RECORDS = 2000
_VALUE = re.compile(r"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|(?i:true|false)")


@dataclass(frozen=True)
class Delimited:
    """How delimited values are written.

    Attributes
    ----------
    options : dict
        What a source of kind files says of it where that is not the default: sep, quote, escape, header, multiLine,
        comment.
    names : tuple of str
        The columns: those of the header, else ``c1``, ``c2``, …
    """

    options: dict[str, str | bool]
    names: tuple[str, ...]

    @property
    def header(self) -> bool:
        """Whether the first line names the columns."""
        return self.options.get("header") is not False


def delimited(text: str) -> Delimited | None:
    r"""Return how `text` is written, None where no separator cuts its lines into equally many fields.

    Parameters
    ----------
    text : str
        The beginning of a file; its last line may be cut off where there are others.

    Examples
    --------
    >>> delimited("id;name\n1;Ada\n2;Bob\n")
    Delimited(options={'sep': ';'}, names=('id', 'name'))
    >>> delimited("1|2.5\n2|3.5\n")
    Delimited(options={'sep': '|', 'header': False}, names=('c1', 'c2'))
    """
    lines = text.lstrip("\ufeff")
    options: dict[str, str | bool] = {}
    first, _, rest = lines.partition("\n")
    if re.search(r"^#", rest, re.MULTILINE) and not first.startswith("#"):
        options["comment"] = "#"
        lines = first + "\n" + re.sub(r"^#.*\n?", "", rest, flags=re.MULTILINE)
    tried = [
        (*_cut(lines, sep, quote, escape), sep, quote, escape)
        for quote in _quotes(lines)
        for escape in (("\\", None) if f"\\{quote}" in lines else (None,))
        for sep in _SEPARATORS
    ]
    share, width, sep, quote, escape = max(tried, key=lambda each: (round(each[0], 2), each[1]))
    if share < _SAME or width < 2:
        return None
    rows = _records(lines, sep, quote, escape)
    options |= {"sep": sep} if sep != "," else {}
    options |= {"quote": quote} if quote != '"' else {}
    options |= {"escape": escape} if escape else {}
    options |= {"multiLine": True} if any("\n" in field for row in rows for field in row) else {}
    if _names_columns(rows):
        return Delimited(options, tuple(field.strip() for field in rows[0]))
    return Delimited(options | {"header": False}, tuple(f"c{number}" for number in range(1, width + 1)))


def _quotes(text: str) -> Sequence[str]:
    single = len(re.findall(r"(?:^|[,;|\t])'[^'\n]*'(?=[,;|\t\r\n]|$)", text, re.MULTILINE))
    return ('"', "'") if single > text.count('"') else ('"',)


def _records(text: str, sep: str, quote: str, escape: str | None) -> list[list[str]]:
    found = []
    reader = csv.reader(io.StringIO(text), delimiter=sep, quotechar=quote, escapechar=escape)
    try:
        for row in reader:
            if row:
                found.append(row)
            if len(found) >= _RECORDS:
                break
    except csv.Error:  # a NUL or an endless field: what came before it speaks
        pass
    return found


def _cut(text: str, sep: str, quote: str, escape: str | None) -> tuple[float, int]:
    """Return which share of the records has the most frequent number of fields, and that number."""
    rows = _records(text, sep, quote, escape)
    if not rows:
        return 0.0, 0
    rows = rows[:-1] if len(rows) > 2 and not text.endswith("\n") else rows  # it may be cut off
    width, count = Counter(len(row) for row in rows).most_common(1)[0]
    return count / len(rows), width


def _names_columns(rows: Sequence[Sequence[str]]) -> bool:
    head, body = [field.strip() for field in rows[0]], rows[1:]
    if not all(head) or any(map(_VALUE.fullmatch, head)):
        return False
    columns = [[row[at].strip() for row in body if at < len(row)] for at in range(len(head))]
    if any(filled and all(map(_VALUE.fullmatch, filled)) for filled in ([v for v in each if v] for each in columns)):
        return True
    twice = len({name.lower() for name in head}) < len(head)
    return not twice and not any(name in values for name, values in zip(head, columns, strict=True))
