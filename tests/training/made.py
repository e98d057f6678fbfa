"""A small dataset in the on-disk form, whose label depends on its features."""

import datetime as dt

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from lakeloom.training.loader import Pinned

FEATURES = ("x", "y", "hour", "carrier", "holiday")


def make(path, rows: int = 1500, seed: int = 0) -> Pinned:
    draw = np.random.default_rng(seed)
    x, y = draw.normal(size=rows), draw.exponential(size=rows) ** 2
    hour, carrier = draw.integers(0, 24, rows), draw.choice(list("abcdef"), rows)
    worth = dict(zip("abcdef", [-1, -0.5, 0, 0.3, 0.6, 1.5], strict=True))
    score = -1.5 + x + 0.5 * np.log1p(y) + np.array([worth[each] for each in carrier]) + 0.08 * hour
    label = (draw.random(rows) < 1 / (1 + np.exp(-score))).astype(float).astype(object)
    split = np.where(np.arange(rows) < 0.7 * rows, "train", np.where(np.arange(rows) < 0.85 * rows, "valid", "test"))
    split = split.astype(object)
    label[::97], split[::97] = None, "none"
    start = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
    table = pa.table(
        {
            "key": np.arange(rows),
            "_row": np.arange(rows),
            "_as_of": pa.array([start + dt.timedelta(hours=place) for place in range(rows)]),
            "_split": pa.array(split, type=pa.string()),
            "label": pa.array(label, type=pa.float64()),
            "x": pa.array([None if place % 11 == 0 else value for place, value in enumerate(x)], type=pa.float64()),
            "y": y,
            "hour": hour,
            "carrier": carrier,
            "holiday": draw.random(rows) < 0.1,
        }
    )
    write_deltalake(str(path), table.take(draw.permutation(rows)))
    return Pinned(str(path), 0, FEATURES)
