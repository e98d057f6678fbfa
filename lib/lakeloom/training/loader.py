"""From a Delta path at a version to torch batches, by Arrow: no Spark and no JVM in a worker.

A first, simple form: each worker reads the pruned columns of a split whole, sorts them by ``_row``
and takes its own share of each global batch by index. The order comes from `lakeloom.training.order`
and so depends on seed, epoch and the table's version only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lakeloom.core.errors import TrainError
from lakeloom.estimators.base import Floats, labels_of
from lakeloom.preparation.prepare import Arrays, Preparation
from lakeloom.store.arrow import scanned
from lakeloom.training.order import global_batch, order, sample, share, steps

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Pinned:
    """A dataset at a version, and which of its columns are features. Plain data: it travels to workers.

    Attributes
    ----------
    path : str
        Where the Delta table lies.
    version : int
        Of the Delta table; always explicit.
    features : tuple of str
        Columns that models may use. A key column that is no feature is not among them.
    """

    path: str
    version: int
    features: tuple[str, ...]


def read_split(data: Pinned, split: str, extra: Sequence[str] = (), part: float = 1.0, seed: int = 0) -> pa.Table:
    """Return the labelled rows of a split, sorted by ``_row``: ``_row``, ``label``, features, `extra`.

    Parameters
    ----------
    data : Pinned
    split : str
        ``train``, ``valid`` or ``test``.
    extra : sequence of str
        More columns to read.
    part : float
        Share of the rows, a sample seeded by `seed`.

    Raises
    ------
    TrainError
        LL-TRAIN-001 where the split has no labelled rows.
    """
    from deltalake import DeltaTable

    wanted = dict.fromkeys(("_row", "label", *data.features, *extra))
    table = scanned(DeltaTable(data.path, version=data.version), list(wanted), [("_split", "=", split)])
    table = table.filter(table.column("label").is_valid()).sort_by("_row").combine_chunks()
    if not table.num_rows:
        raise TrainError(
            "LL-TRAIN-001",
            f"the split '{split}' has no labelled rows",
            fix="mend the dataset's split or the labels' condition",
        )
    return table if part >= 1.0 else table.take(sample(table.num_rows, part, seed))


def need_both_classes(label: Floats, split: str) -> None:
    """Raise LL-TRAIN-001 where `label` has one class only."""
    if float(np.min(label)) == float(np.max(label)):
        raise TrainError(
            "LL-TRAIN-001",
            f"the split '{split}' has one class only ({len(label)} rows)",
            fix="mend the dataset's split or the label",
        )


@dataclass(frozen=True)
class Rows:
    """A split as arrays: ``arrays`` and ``label`` (float32 [n])."""

    arrays: Arrays
    label: np.typing.NDArray[np.float32]

    @classmethod
    def of(cls, table: pa.Table, preparation: Preparation) -> Rows:
        """Return a table's rows as a fitted preparation makes them."""
        return cls(preparation.arrays(table), labels_of(table).astype(np.float32))

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class Batch:
    """A rank's share of a global batch: rows `start` to `stop` of its `total` rows."""

    categories: Tensor
    numbers: Tensor
    label: Tensor
    step: int
    start: int
    stop: int
    total: int


def batches(rows: Rows, seed: int, epoch: int, batch: int, rank: int, size: int) -> Iterator[Batch]:
    """Yield the rank's share of each global batch of an epoch, in order; equal steps on all ranks."""
    import torch

    ordered = order(len(rows), seed, epoch)
    for step in range(steps(len(rows), batch)):
        whole = global_batch(ordered, batch, step)
        start, stop = share(len(whole), rank, size)
        own = whole[start:stop]
        yield Batch(
            torch.from_numpy(rows.arrays.categories[own]),
            torch.from_numpy(rows.arrays.numbers[own]),
            torch.from_numpy(rows.label[own]),
            step,
            start,
            stop,
            len(whole),
        )
