"""One column of a table as plain numbers or as text: what the fitted transforms see.

Whole numbers read the same whether they come as integers, as floats (pandas turns integers with
nulls into floats) or as booleans, so that what was fitted on Arrow serves on pandas. Types that are
neither number, boolean nor text are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lakeloom.core.errors import TrainError

if TYPE_CHECKING:
    import pyarrow as pa


def as_table(frame: Any) -> pa.Table:
    """Return an Arrow table from an Arrow table or a pandas frame."""
    import pyarrow as pa

    return frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column; raises LL-TRAIN-006 where the table has none of that name."""
    if name not in table.column_names:
        raise TrainError(
            "LL-TRAIN-006",
            f"the feature '{name}' is not among the columns {', '.join(table.column_names)}",
            fix="hand in every feature that the model was fitted on",
        )
    return table.column(name)


def is_text(type_: pa.DataType) -> bool:
    """Return whether a column of this Arrow type holds text (or nothing but nulls)."""
    import pyarrow as pa

    inner = type_.value_type if pa.types.is_dictionary(type_) else type_
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_null(inner))


def numbers_of(column: pa.ChunkedArray, name: str) -> NDArray[np.float64]:
    """Return a column as float64, NaN for null and for infinite; raises LL-TRAIN-006 for text and times."""
    import pyarrow as pa

    kind = column.type
    known = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)
    if not any(test(kind) for test in known):
        raise TrainError(
            "LL-TRAIN-006",
            f"the feature '{name}' is a {kind}; features are numbers, booleans or text",
            fix="turn it into a number or a text in the feature view or the dataset",
        )
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    values = column.cast(pa.float64()).to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def texts_of(column: pa.ChunkedArray, name: str) -> NDArray[Any]:
    """Return a column as an object array of text, None for null; numbers in their shortest form."""
    if is_text(column.type):
        import pyarrow as pa

        return np.asarray(column.cast(pa.string()).to_pandas(), dtype=object)
    values = numbers_of(column, name)
    unique, places = np.unique(values, return_inverse=True)
    names = np.array([None if value != value else f"{value:.15g}" for value in unique], dtype=object)
    return names[places] if len(names) else np.empty(0, dtype=object)
