"""A table's columns, and fields inside them, made ready for rows that have others: added, widened, renamed, dropped.

These are changes of metadata: each is a commit without a transaction id and without a manifest, so that
it is never taken for a step's write, and rewrites no file. Widening and renaming need table features
that not every reader knows, so they are switched on by the first change that needs them.

Source: Delta's ``ALTER TABLE``, type widening and column mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakeloom.core.errors import TableError
from lakeloom.core.names import quoted
from lakeloom.store.describe import unsigned
from lakeloom.store.types import Node, kind_of, spark_type, sql_type

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
    there: Mapping[str, Node],
    given: Mapping[str, Node],
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
        The table's columns and the rows': name → type. What is inside a column is one of its changes too, at its
        path: ``place.zip``, ``items.element.price``, ``by_day.value.count``.
    allowed : {'none', 'add', 'widen'}
        ``widen`` allows to add, too.
    renamed : mapping, optional
        New name → old name.
    dropped : sequence of str
        Columns to be taken away.

    Raises
    ------
    TableError
        LL-TABLE-004 where the rows have a column, or a field inside one, that may not be added.
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
        own = names.get(name.lower(), name)
        for change in [Change((name,), kind)] if before is None else inside((own,), before, kind):
            if change.before is not None:
                if allowed == "widen" and widens(spark_type(change.before), spark_type(change.kind)):
                    found.append(f"ALTER COLUMN {change.place} TYPE {sql_type(change.kind)}")
            elif allowed == "none":
                refused.append(
                    f"{'.'.join(change.path)} is not a {'column' if before is None else 'field'} of the table"
                )
            else:
                found.append(f"ADD COLUMN {change.place} {sql_type(change.kind)}")
    if refused:
        raise TableError(
            "LL-TABLE-004",
            f"{where}: {'; '.join(refused)}",
            where=where,
            fix="mend the SQL, or say 'evolve: add' for new columns",
        )
    return found


@dataclass(frozen=True)
class Change:
    """What rows have otherwise than a table, at a path; new where there is no type `before`."""

    path: tuple[str, ...]
    kind: Node
    before: Node | None = None

    @property
    def place(self) -> str:
        """The path as SQL writes it."""
        return ".".join(map(quoted, self.path))


def inside(path: tuple[str, ...], old: Node, new: Node) -> Iterator[Change]:
    """Yield what the type `new` has otherwise than `old`, a field that only `old` has left out.

    Parameters
    ----------
    path : tuple of str
        Where the two stand.
    """
    if not isinstance(old, dict) or not isinstance(new, dict) or kind_of(old) != kind_of(new):
        if spark_type(old) != spark_type(new):
            yield Change(path, new, old)
    elif kind_of(old) == "struct":
        known = {field["name"].lower(): field for field in old["fields"]}
        for field in new["fields"]:
            own = known.get(field["name"].lower())
            if own is None:
                yield Change((*path, field["name"]), field["type"])
            else:
                yield from inside((*path, own["name"]), own["type"], field["type"])
    else:
        for word in ("element", "key", "value"):  # Delta's own names for these places
            if f"{word}Type" in old:
                yield from inside((*path, word), old[f"{word}Type"], new[f"{word}Type"])


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
