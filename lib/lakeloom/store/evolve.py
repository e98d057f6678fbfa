"""A table's columns made ready for rows that have others: added, widened, renamed or dropped, as far as it is allowed.

These are changes of metadata: each is a commit without a transaction id and without a manifest, so that
it is never taken for a step's write, and rewrites no file. Widening and renaming need table features
that not every reader knows, so they are switched on by the first change that needs them.

Source: Delta's ``ALTER TABLE``, type widening and column mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lakeloom.core.errors import TableError
from lakeloom.core.names import quoted
from lakeloom.store.describe import unsigned

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyspark.sql import SparkSession

WIDENING = ("delta.enableTypeWidening", "true")
MAPPING = ("delta.columnMapping.mode", "name")
_FOREIGN = frozenset(" ,;{}()\n\t=")
# What Delta widens in place: from → to.
_WIDER = {
    "tinyint": ("smallint", "int", "bigint", "double"),
    "smallint": ("int", "bigint", "double"),
    "int": ("bigint", "double"),
    "float": ("double",),
    "date": ("timestamp_ntz",),
}


def widens(old: str, new: str) -> bool:
    """Return whether Delta takes a column of the type `old` to `new` without touching its files."""
    if new in _WIDER.get(old, ()):
        return True
    sizes = [_digits(kind) for kind in (old, new)]
    if None in sizes or old == new or not new.startswith("decimal"):
        return False
    (whole, scale), (wider, longer) = sizes  # type: ignore[misc]  # None is ruled out
    return wider >= whole and longer >= scale


def changes(
    there: Mapping[str, str],
    given: Mapping[str, str],
    *,
    allowed: str,
    renamed: Mapping[str, str] | None = None,
    dropped: Sequence[str] = (),
    where: str = "",
) -> list[str]:
    """Return the changes that make a table ready for rows, as ``ALTER TABLE`` takes them, in order.

    Parameters
    ----------
    there, given : mapping
        The table's columns and the rows': name → Spark type.
    allowed : {'none', 'add', 'widen'}
        ``widen`` allows to add, too.
    renamed : mapping, optional
        New name → old name.
    dropped : sequence of str
        Columns to be taken away.

    Raises
    ------
    TableError
        LL-TABLE-004 where the rows have a column that may not be added, or a type that may not be widened to.
    """
    names = {name.lower(): name for name in there}
    here = {name.lower(): kind for name, kind in there.items()}
    found, refused = [], []
    for new, old in (renamed or {}).items():
        if old.lower() in names and new.lower() not in names:
            found.append(f"RENAME COLUMN {quoted(names.pop(old.lower()))} TO {quoted(new)}")
            names[new.lower()], here[new.lower()] = new, here.pop(old.lower())
    gone = [names[name.lower()] for name in dropped if name.lower() in names]
    found += [f"DROP COLUMN {quoted(name)}" for name in gone]
    for name, kind in given.items():
        before = here.get(name.lower())
        if before is None:
            if allowed == "none":
                refused.append(f"{name} is not a column of the table")
            else:
                found.append(f"ADD COLUMN {quoted(name)} {kind}")
        elif before != kind and allowed == "widen" and widens(before, kind):
            found.append(f"ALTER COLUMN {quoted(names[name.lower()])} TYPE {kind}")
    if refused:
        raise TableError(
            "LL-TABLE-004",
            f"{where}: {'; '.join(refused)}",
            where=where,
            fix="mend the SQL, or say 'evolve: add' for new columns",
        )
    return found


def needs_mapping(names: Iterable[str]) -> bool:
    """Return whether a column's name has a sign that Parquet's own columns may not have, such as a space."""
    return any(set(name) & _FOREIGN for name in names)


def features(statements: Iterable[str], names: Iterable[str] = ()) -> dict[str, str]:
    """Return the table properties that the changes, and rows with columns of these names, need."""
    words = {statement.split()[0] for statement in statements}
    mapped = bool(words & {"RENAME", "DROP"}) or needs_mapping(names)
    return dict([WIDENING] if "ALTER" in words else []) | dict([MAPPING] if mapped else [])


def evolve(
    session: SparkSession, place: str, opened: DeltaTable, statements: Sequence[str], names: Iterable[str] = ()
) -> None:
    """Carry out `changes` on the table at `place`, such as ``delta.`path```; make it ready for such names."""
    wanted = features(statements, names)
    lacking = {k: v for k, v in wanted.items() if opened.metadata().configuration.get(k) != v} if wanted else {}
    if statements or lacking:
        unsigned(session)
    if lacking:
        pairs = ", ".join(f"'{key}' = '{value}'" for key, value in lacking.items())
        session.sql(f"ALTER TABLE {place} SET TBLPROPERTIES ({pairs})")
    for statement in statements:
        session.sql(f"ALTER TABLE {place} {statement}")


def _digits(kind: str) -> tuple[int, int] | None:
    """Return (digits before the point, after it) of what counts as a decimal, None for other types."""
    whole = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 20}
    if kind in whole:
        return whole[kind], 0
    if not kind.startswith("decimal("):
        return None
    precision, scale = (int(part) for part in kind[8:-1].split(","))
    return precision - scale, scale
