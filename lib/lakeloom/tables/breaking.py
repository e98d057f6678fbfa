"""What of a table's new shape breaks those who read it as it was: pure, over names and types.

Breaking are a column that is gone or was renamed, a type that does not hold what the old one held, a field that is
gone from inside a column, a column that may be NULL now, and other keys. More columns, wider types and stricter
rules are not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from lakeloom.store.evolve import widens


@dataclass(frozen=True)
class Shape:
    """What readers of a table can lean on.

    Attributes
    ----------
    columns : dict
        Column → Spark type; empty where the type is not known.
    whole : bool
        Whether these are all of them.
    keys : tuple of str, optional
        What tells rows apart; None where it is not known.
    never_null : collection of str, optional
        None where it is not known.
    renamed : dict
        New name → old name.
    dropped : collection of str
        What is gone for certain, also where `whole` is not.
    """

    columns: dict[str, str]
    whole: bool = True
    keys: tuple[str, ...] | None = None
    never_null: Collection[str] | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    dropped: Collection[str] = ()


@dataclass(frozen=True, order=True)
class Break:
    """One thing that readers of a table lose.

    Attributes
    ----------
    table : str
    column : str
        Empty where it is about the keys.
    what : str
        In words: ``is dropped``, ``narrows from double to int``.
    """

    table: str
    column: str
    what: str

    def __str__(self) -> str:
        return f"{self.table}{'.' if self.column else ''}{self.column} {self.what}"


def breaks(table: str, before: Shape, after: Shape) -> list[Break]:
    """Return what breaks, column by column, the keys last. Columns that begin with ``_`` are the platform's own."""
    found = []
    names = {name.lower(): name for name in after.columns}
    renamed = {old.lower(): new for new, old in after.renamed.items()}
    dropped = {name.lower() for name in after.dropped}
    for name, kind in before.columns.items():
        if name[:1] == "_":
            continue
        now = names.get(name.lower())
        if now is None:
            if name.lower() in renamed:
                found.append(Break(table, name, f"is renamed to {renamed[name.lower()]}"))
            elif after.whole or name.lower() in dropped:
                found.append(Break(table, name, "is dropped"))
            continue
        new = after.columns[now]
        if new and kind:
            found += [Break(table, f"{name}{path}", what) for path, what in narrowed(kind, new)]
    found += _nullable(table, before, after)
    if before.keys and after.keys is not None and set(before.keys) != set(after.keys):
        found.append(Break(table, "", f"has other keys: {_listed(before.keys)} → {_listed(after.keys)}"))
    return found


def _nullable(table: str, before: Shape, after: Shape) -> Iterator[Break]:
    if before.never_null is None or after.never_null is None:
        return
    now, there = {name.lower() for name in after.never_null}, {name.lower() for name in after.columns}
    for name in before.never_null:
        # That a column which was a key and is none any more may be NULL is said by the keys.
        told = name in (before.keys or ()) and after.keys is not None and name not in after.keys
        if name.lower() not in now and name.lower() in there and not told:
            yield Break(table, name, "may be NULL now")


def narrowed(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield (path inside the column, what) for each part of a type that does not hold what it held."""
    old, new = _plain(old), _plain(new)
    if old == new or widens(old, new):
        return
    if old.startswith("struct<") and new.startswith("struct<"):
        before, after = _fields(old), _fields(new)
        for name, kind in before.items():
            if name not in after:
                yield f".{name}", "is dropped"
            else:
                yield from ((f".{name}{path}", what) for path, what in narrowed(kind, after[name]))
    elif old.startswith("array<") and new.startswith("array<"):
        yield from narrowed(old[6:-1], new[6:-1])
    elif old.startswith("map<") and new.startswith("map<"):
        for one, other in zip(_split(old[4:-1]), _split(new[4:-1]), strict=True):
            yield from narrowed(one, other)
    else:
        yield "", f"{'narrows' if widens(new, old) else 'changes'} from {old} to {new}"


def _plain(kind: str) -> str:
    """Return a type as Delta's log has it: names of fields in lower case, since none differ by that, and no lengths."""
    return re.sub(r"\b(?:var)?char\(\d+\)", "string", kind.lower())


def _fields(kind: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in _split(kind[7:-1]))
    return {name.strip(): each.strip() for name, _, each in pairs}


def _split(text: str) -> list[str]:
    """Return the parts of a list between commas that lie in no bracket."""
    parts, depth = [""], 0
    for piece in re.findall(r"[<>(),]|[^<>(),]+", text):
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(piece, 0)
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part for part in parts if part]


def _listed(keys: Collection[str]) -> str:
    return ", ".join(keys) or "none"
