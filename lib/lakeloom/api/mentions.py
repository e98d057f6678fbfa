"""The tables that a user's query names, found in its text without parsing all of it.

``layer.name`` and ``layer.name@version`` count where a table can stand: behind FROM, JOIN or a
comma of such a list. Strings, quoted names and comments are passed over. Only one SELECT is taken:
a text that could be anything else is parsed, and refused where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lakeloom.core.errors import TableError
from lakeloom.core.names import LAYERS, TableRef

_TOKEN = re.compile(
    r"(?P<skip>--[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`)"
    rf"|(?P<table>(?<![\w.])(?:{'|'.join(LAYERS)})\.[A-Za-z_]\w*(?:@\w(?:[\w.:+-]*\w)?)?)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<mark>\S)",
    re.DOTALL,
)
_ACTS = frozenset(
    ["insert", "update", "delete", "merge", "copy", "create", "drop", "alter", "truncate", "into", "load"]
)
_ENDS_A_LIST = frozenset(["where", "select", "on", "using", "group", "order", "having", "limit", "qualify", "window"])


@dataclass(frozen=True)
class Mention:
    """A table's name in the text: `column` where it only qualifies a column (``silver.flights.dep``)."""

    start: int
    end: int
    text: str
    column: bool

    @property
    def ref(self) -> TableRef:
        """The table and version that are meant."""
        return TableRef.parse(self.text)


def one_select(sql: str) -> None:
    """Raise LL-CONF-012 for anything but one SELECT (or WITH … SELECT, or VALUES)."""
    tokens = [token for token in _TOKEN.finditer(sql) if token.lastgroup != "skip"]
    while tokens and tokens[-1].group() == ";":
        tokens.pop()
    words = [token.group().lower() for token in tokens if token.lastgroup == "word"]
    first = next((token.group().lower() for token in tokens if token.group() != "("), "")
    several = any(token.group() == ";" for token in tokens)
    if first not in ("select", "with", "values") or several:
        raise TableError("LL-CONF-012", "one SELECT is wanted, nothing else", fix="write one query")
    if _ACTS.intersection(words):
        _parsed(re.sub(r"(?<=\w)@\w(?:[\w.:+-]*\w)?", "", sql))


def _parsed(sql: str) -> None:
    from sqlglot import exp

    from lakeloom.tables.sql import parse

    if next(parse(sql).find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Into), None) is not None:
        raise TableError("LL-CONF-012", "one SELECT is wanted, nothing that writes", fix="write one query")


def mentions(sql: str, exists: Callable[[str], bool]) -> list[Mention]:
    """Return the tables named in a query, in the order of the text.

    Parameters
    ----------
    exists : callable
        Tells whether ``layer.name`` is a table; asked where a comma leaves it open whether a table or
        a column of something called like a layer is meant.
    """
    found = list(_mentions(sql, exists))
    tables = {mention.text.partition("@")[0] for mention in found if not mention.column}
    return [mention for mention in found if not mention.column or mention.text in tables]


def bind(sql: str, found: list[Mention], name_of: Callable[[Mention], str]) -> str:
    """Return the query with every mention replaced by what `name_of` says."""
    pieces, end = [], 0
    for mention in found:
        pieces += [sql[end : mention.start], name_of(mention)]
        end = mention.end
    return "".join([*pieces, sql[end:]])


def _mentions(sql: str, exists: Callable[[str], bool]) -> Iterator[Mention]:
    lists: list[bool] = [False]
    before = ""
    for token in _TOKEN.finditer(sql):
        kind, text = token.lastgroup, token.group()
        if kind == "skip":
            continue
        if text == "(":
            lists.append(lists[-1] and before in ("from", "join", ",", "("))
        elif text == ")" and len(lists) > 1:
            lists.pop()
        elif kind == "word":
            if text.lower() in ("from", "join"):
                lists[-1] = True
            elif text.lower() in _ENDS_A_LIST:
                lists[-1] = False
        elif kind == "table":
            table = text.partition("@")[0]
            stands = before in ("from", "join") or (before in (",", "(") and lists[-1] and exists(table))
            if stands or sql[token.end() : token.end() + 1] == ".":
                yield Mention(token.start(), token.end(), text, not stands)
        before = text.lower()
