"""Variants as JSON: what Arrow, people and GROUP BY know nothing of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakeloom.core.names import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def as_text(frame: DataFrame) -> DataFrame:
    """Return the frame with JSON in place of its variants."""
    from pyspark.sql import functions as F

    if not any("variant" in kind for _, kind in frame.dtypes):
        return frame
    columns = [F.col(quoted(name)) for name in frame.columns]
    kinds = [kind for _, kind in frame.dtypes]
    return frame.select(
        *[
            F.to_json(column).alias(name) if "variant" in kind else column
            for name, column, kind in zip(frame.columns, columns, kinds, strict=True)
        ]
    )
