"""The splits of issue 3's two protocols, as index arrays over the dataset's rows.

(a) by time: nine months train, three test; the ninth is validation while settings are chosen.
(b) random: a flight's side depends on a seed and its keys alone, one in four tests; settings are
chosen on a split of the training part, made in the same way.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.demo import KEYS

Indices = NDArray[np.int64]
TEST_SHARE = 0.25
SEPTEMBER, OCTOBER, END = date(2013, 9, 1), date(2013, 10, 1), date(2014, 1, 1)


@dataclass(frozen=True)
class Split:
    """Rows to fit on and rows to measure on."""

    train: Indices
    test: Indices


def by_time(rows: pa.Table, cut: date, end: date) -> Split:
    """Return the rows before `cut`, and those from it to before `end`."""
    days = np.asarray(rows.column("flight_date").to_numpy()).astype("datetime64[D]")
    return Split(np.flatnonzero(days < np.datetime64(cut)), np.flatnonzero((days >= cut) & (days < np.datetime64(end))))


def by_chance(rows: pa.Table, salt: str, among: Indices | None = None) -> Split:
    """Return a random 3:1 split of the rows `among` (all by default), by a hash of their keys."""
    within = np.arange(rows.num_rows) if among is None else among
    drawn = chances(rows.take(within), salt)
    return Split(within[drawn >= TEST_SHARE], within[drawn < TEST_SHARE])


def chances(rows: pa.Table, salt: str) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each row: BLAKE2b of the salt and the row's keys, float64 [n]."""
    keys = zip(*(rows.column(key).cast(pa.string()).to_pylist() for key in KEYS), strict=True)
    key = salt.encode()
    digests = b"".join(hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8, key=key).digest() for parts in keys)
    return np.frombuffer(digests, dtype=">u8").astype(np.float64) / 2.0**64


def part(indices: Indices, share: float, seed: int) -> Indices:
    """Return a seeded sample of the indices, ascending."""
    if share >= 1:
        return indices
    chosen = np.random.default_rng(seed).choice(len(indices), size=round(share * len(indices)), replace=False)
    return indices[np.sort(chosen)]
