"""The order of training rows: pure functions of (rows, seed, epoch), the same at any number of workers.

An epoch is a permutation of all rows, cut into global batches; a global batch is cut into one
contiguous share a rank. Every rank takes the same number of steps, no row is dropped and none is
repeated: the last batch is short, and where it has fewer rows than there are ranks some ranks get
none of it. Losses are sums over rows divided by the rows of the *global* batch, so that unequal
shares weigh what they hold and summing the ranks' gradients gives the global batch's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def order(rows: int, seed: int, epoch: int) -> Indices:
    """Return the permutation of ``0 .. rows - 1`` of an epoch, int64 [rows].

    numpy's Philox (Salmon et al. 2011) is counter-based and keyed by (seed, epoch): any epoch's order
    is had without drawing those before it.
    """
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, epoch & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).permutation(rows).astype(np.int64)


def steps(rows: int, batch: int) -> int:
    """Return how many global batches of `batch` rows an epoch has, the short last one included."""
    return -(-rows // batch)


def global_batch(ordered: Indices, batch: int, step: int) -> Indices:
    """Return the rows of the global batch `step` (from 0)."""
    return ordered[step * batch : (step + 1) * batch]


def share(rows: int, rank: int, size: int) -> tuple[int, int]:
    """Return start and stop of a rank's share of a global batch of `rows`; shares differ by one row at most."""
    return rows * rank // size, rows * (rank + 1) // size


def sample(rows: int, part: float, seed: int) -> Indices:
    """Return a seeded subsample of ``round(part * rows)`` rows (at least one), ascending."""
    if part >= 1.0:
        return np.arange(rows, dtype=np.int64)
    return np.sort(order(rows, seed, -1)[: max(1, round(part * rows))])
