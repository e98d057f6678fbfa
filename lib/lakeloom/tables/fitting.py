"""One value on its way into its contract's type: what is cast, added, kept beside, or keeps its row out.

Types are laid side by side field by field, by name, into structs, elements of arrays and values of maps. A field
that is missing is NULL. One that the contract does not name is refused, stays behind the others, or is rescued, as
the table evolves; a part of another type is treated as a column of another type is. So nothing inside a value is
dropped, and no field gets another one's value, which a cast of Spark's, going by places, would do.

Places inside a value are named as Delta names them: ``place.zip``, ``items.element.price``, ``by_day.value.count``.
A map's keys tell its values apart: they are taken where nothing is lost, and refused else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lakeloom.core.errors import TableError
from lakeloom.store.evolve import widens
from lakeloom.store.types import Node, kind_of, spark_type, sql_type
from lakeloom.tables.casts import fits, lossless, meet, spelled

if TYPE_CHECKING:
    from pyspark.sql import Column

Evolve = Literal["none", "add", "widen", "rescue"]
Made = Callable[["Column"], "Column"]
# A struct of values that were found not to fit before the contract was laid on, for `_rescued`.
MISFITS = "_misfits"


@dataclass(frozen=True)
class Fit:
    """What becomes of a value; each part is made of the value as it came.

    Attributes
    ----------
    make : callable, optional
        Gives the value in its new type; None where it stays as it is.
    faults : tuple of (str, callable)
        Path → whether something there does not fit, which keeps the row out.
    rescued : tuple of (str, callable)
        Path → what is kept beside, NULL for nothing.
    undeclared : tuple of str
        Paths of fields that the contract does not name, where it refuses them.
    problems : tuple of str
        Why a value of such a type can't be taken at all.
    """

    make: Made | None = None
    faults: tuple[tuple[str, Made], ...] = ()
    rescued: tuple[tuple[str, Made], ...] = ()
    undeclared: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def made(self, value: Column) -> Column:
        """Return the value in its new type."""
        return value if self.make is None else self.make(value)

    def reasons(self, value: Column) -> list[Column]:
        """Return why the row of a value is kept out: ``contract:<path>`` or NULL, for each place that may not fit."""
        from pyspark.sql import functions as F

        return [F.when(fault(value), F.lit(f"contract:{path}")) for path, fault in self.faults]


def wanted(name: str, kind: str) -> Node:
    """Return a column's type in a contract as a node; what has types inside is read by the session's Spark.

    Raises
    ------
    TableError
        LL-TABLE-004 where Spark knows no such type.
    """
    if "<" not in kind:
        return spelled(kind)
    from pyspark.errors import ParseException
    from pyspark.sql.types import DataType

    try:
        return DataType.fromDDL(kind).jsonValue()
    except ParseException:
        raise TableError(
            "LL-TABLE-004",
            f"{name} is declared as {kind}, which is no type of Spark's",
            where=name,
            fix="write one such as array<string> or struct<street:string,zip:string>",
        ) from None


def differs(table: str, problems: Iterable[str], undeclared: Collection[str]) -> TableError:
    """Return the error that says all in which rows differ from their contract."""
    told = [*problems, *([f"{', '.join(undeclared)} not declared"] if undeclared else [])]
    return TableError(
        "LL-TABLE-004",
        f"{table}: {'; '.join(told)}",
        where=table,
        fix="mend the SQL or the contract's columns, or say 'evolve: add' for new ones",
    )


def fit(path: str, got: Node, want: Node, evolve: Evolve, *, by_value: bool = False, said: str = "") -> Fit:
    """Return how a value of the type `got` goes into the type `want`.

    Parameters
    ----------
    path : str
        Where the value stands: the column's name.
    by_value : bool
        Whether values of another type are looked at one by one also where the table does not evolve.
    said : str
        The wanted type as the contract writes it.
    """
    kind = kind_of(want)
    if kind and kind == kind_of(got):
        if spark_type(got) == spark_type(want):
            return Fit()
        assert isinstance(got, dict)
        assert isinstance(want, dict)
        return _NESTED[kind](path, got, want, evolve, by_value)
    had, has = spark_type(got), spark_type(want)
    if lossless(had, has):
        return Fit() if had == has else Fit(lambda value: value.cast(sql_type(want)))
    if evolve == "widen" and widens(has, had):
        return Fit()
    if (evolve == "none" and not by_value) or kind or not meet(had, has):
        return Fit(problems=(f"{path} is {had}, the contract says {said or has}",))

    def cast(value: Column) -> Column:
        made, held = fits(value, had, has)
        return _when(held, made)

    if evolve == "rescue":
        return Fit(cast, rescued=((path, lambda value: _when(~fits(value, had, has)[1], value)),))
    return Fit(cast, faults=((path, lambda value: ~fits(value, had, has)[1]),))


def _struct(path: str, got: dict[str, Any], want: dict[str, Any], evolve: Evolve, by_value: bool) -> Fit:
    there = {field["name"]: field for field in got["fields"]}
    spellings = {name.lower(): name for name in there}
    fields: list[tuple[str, Made]] = []
    found, kept = Fit(), True
    for place, field in enumerate(want["fields"]):
        name, inner = field["name"], f"{path}.{field['name']}"
        own = there.pop(name if name in there else spellings.get(name.lower(), ""), None)
        if own is None:
            if not field.get("nullable", True):
                found = _both(found, Fit(problems=(f"{inner} is missing",)))
            fields.append((name, _nothing(field["type"])))
            kept = False
            continue
        part = fit(inner, own["type"], field["type"], evolve, by_value=by_value)
        kept &= part.make is None and got["fields"][place : place + 1] == [own] and own["name"] == name
        fields.append((name, _at(own["name"], part.made)))
        found = _both(found, _moved(part, lambda made, own=own: _at(own["name"], made)))  # type: ignore[misc]
    for name in there:
        inner, value = f"{path}.{name}", _at(name, _same)
        if evolve == "none":
            found = _both(found, Fit(undeclared=(inner,)))
        elif evolve == "rescue":
            found, kept = _both(found, Fit(rescued=((inner, value),))), False
        else:
            fields.append((name, value))

    def make(value: Column) -> Column:
        from pyspark.sql import functions as F

        return F.when(value.isNotNull(), F.struct(*(each(value).alias(name) for name, each in fields)))

    return _both(Fit(None if kept else make), found)


def _array(path: str, got: dict[str, Any], want: dict[str, Any], evolve: Evolve, by_value: bool) -> Fit:
    from pyspark.sql import functions as F

    part = fit(f"{path}.element", got["elementType"], want["elementType"], evolve, by_value=by_value)

    def some(made: Made) -> Made:
        def rescued(value: Column) -> Column:
            each = F.transform(value, made)
            return F.when(F.exists(each, lambda one: one.isNotNull()), each)

        return rescued

    make = None if part.make is None else lambda value: F.transform(value, part.made)
    return _around(part, make, lambda fault: lambda value: F.exists(value, fault), some)


def _map(path: str, got: dict[str, Any], want: dict[str, Any], evolve: Evolve, by_value: bool) -> Fit:
    from pyspark.sql import functions as F

    had, has = spark_type(got["keyType"]), spark_type(want["keyType"])
    if not lossless(had, has):
        return Fit(problems=(f"{path}.key is {had}, the contract says {has}",))
    part = fit(f"{path}.value", got["valueType"], want["valueType"], evolve, by_value=by_value)

    def make(value: Column) -> Column:
        keyed = value if had == has else F.transform_keys(value, lambda key, _: key.cast(sql_type(want["keyType"])))
        return keyed if part.make is None else F.transform_values(keyed, lambda _, each: part.made(each))

    def some(made: Made) -> Made:
        def rescued(value: Column) -> Column:
            each = F.map_filter(F.transform_values(value, lambda _, one: made(one)), lambda _, one: one.isNotNull())
            return F.when(F.size(each) > 0, each)

        return rescued

    kept = had == has and part.make is None
    return _around(part, None if kept else make, lambda fault: lambda value: F.exists(F.map_values(value), fault), some)


_NESTED = {"struct": _struct, "array": _array, "map": _map}


def _around(part: Fit, make: Made | None, fault: Callable[[Made], Made], rescue: Callable[[Made], Made]) -> Fit:
    """Return what becomes of a value by what becomes of those inside it."""
    return Fit(
        make,
        tuple((path, fault(made)) for path, made in part.faults),
        tuple((path, rescue(made)) for path, made in part.rescued),
        part.undeclared,
        part.problems,
    )


def _moved(part: Fit, inner: Callable[[Made], Made]) -> Fit:
    return _around(part, None, inner, inner)


def _both(one: Fit, other: Fit) -> Fit:
    return Fit(
        one.make or other.make,
        one.faults + other.faults,
        one.rescued + other.rescued,
        one.undeclared + other.undeclared,
        one.problems + other.problems,
    )


def _at(name: str, made: Made) -> Made:
    return lambda value: made(value.getField(name))


def _same(value: Column) -> Column:
    return value


def _nothing(node: Node) -> Made:
    def made(_: Column) -> Column:
        from pyspark.sql import functions as F

        return F.lit(None).cast(sql_type(node))

    return made


def _when(holds: Column, value: Column) -> Column:
    from pyspark.sql import functions as F

    return F.when(holds, value)
