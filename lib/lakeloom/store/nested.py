"""Rows whose nested values lack fields that the table has → rows of the table's own types.

Delta takes rows that lack a column, and in a merge or inside arrays and maps none that lack a field. So a field that
was added by earlier rows is NULL in rows without it, and what the table holds wider is widened. Fields are told by
name: a cast of Spark's goes by their places, and would put one field's value into another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakeloom.core.names import quoted
from lakeloom.store.evolve import widens
from lakeloom.store.types import Node, kind_of, nodes_of, spark_type, sql_type

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def aligned(frame: DataFrame, there: Mapping[str, Node]) -> DataFrame:
    """Return the rows with nested values in the types that a table has for their columns.

    Parameters
    ----------
    there : mapping
        The table's columns, in which every field of the rows is known: `lakeloom.store.evolve` has seen to it.
    """
    from pyspark.sql import functions as F

    known, given = {name.lower(): node for name, node in there.items()}, nodes_of(frame)
    other = {
        name: want
        for name, node in given.items()
        if kind_of(want := known.get(name.lower(), node)) and kind_of(node) and spark_type(node) != spark_type(want)
    }
    # Rows that are right stay the very frame that they are: it may be persisted, and have thousands of columns.
    if not other:
        return frame
    values = {name: F.col(quoted(name)) for name in given}
    return frame.select(
        *(
            filled(value, given[name], other[name]).alias(name) if name in other else value
            for name, value in values.items()
        )
    )


def filled(value: Column, got: Node, want: Node) -> Column:
    """Return a value in the type `want`: fields in its order, those that are missing as NULL."""
    from pyspark.sql import functions as F

    if spark_type(got) == spark_type(want):
        return value
    kind = kind_of(want)
    if kind != kind_of(got):
        return value
    if kind == "array":
        return F.transform(value, lambda each: filled(each, got["elementType"], want["elementType"]))  # type: ignore[index]
    if kind == "map":
        return F.transform_values(value, lambda _, each: filled(each, got["valueType"], want["valueType"]))  # type: ignore[index]
    if kind == "struct":
        return _struct(value, got, want)
    return value.cast(sql_type(want)) if widens(spark_type(got), spark_type(want)) else value


def _struct(value: Column, got: Node, want: Node) -> Column:
    from pyspark.sql import functions as F

    assert isinstance(got, dict)
    assert isinstance(want, dict)
    there = {field["name"].lower(): field for field in got["fields"]}
    made = []
    for field in want["fields"]:
        name, own = field["name"], there.pop(field["name"].lower(), None)
        if own is None:
            made.append(F.lit(None).cast(sql_type(field["type"])).alias(name))
        else:
            made.append(filled(value.getField(own["name"]), own["type"], field["type"]).alias(name))
    # What the table does not know is for Delta to refuse, and never left out here.
    made += [value.getField(field["name"]) for field in there.values()]
    return F.when(value.isNotNull(), F.struct(*made))
