"""The torch module of `tabular_net`: embeddings and numbers into layers with residuals.

Layer norm, not batch norm: a row's output then depends on no other row of its batch, so that the
gradient of a global batch is the same at any number of workers. Dropout draws its masks for the
whole global batch and takes the worker's own rows of it (`Chance`), for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn


class Chance:
    """The source of dropout masks: a pure function of (seed, epoch, step) and the row's place."""

    def __init__(self) -> None:
        self._generator = torch.Generator()
        self._start, self._stop, self._total = 0, 0, 0

    def at(self, seed: int, epoch: int, step: int, start: int, stop: int, total: int) -> None:
        """Stand at a step: this worker has rows `start` to `stop` of the global batch of `total`."""
        state = np.random.SeedSequence([seed, epoch, step]).generate_state(1, np.uint64)[0]
        self._generator.manual_seed(int(state >> np.uint64(1)))
        self._start, self._stop, self._total = start, stop, total

    def mask(self, width: int, share: float) -> Tensor:
        """Return the mask of this worker's rows, float32 [stop - start, width], scaled by 1/(1-share)."""
        drawn = torch.rand(self._total, width, generator=self._generator)[self._start : self._stop]
        return (drawn >= share).float() / (1.0 - share)


class SharedDropout(nn.Module):
    """Dropout whose masks come from a `Chance`."""

    def __init__(self, share: float, chance: Chance) -> None:
        super().__init__()
        self.share, self.chance = share, chance

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training, pass otherwise; shape [n, width] stays."""
        return x * self.chance.mask(x.shape[1], self.share) if self.training and self.share > 0 else x


class Network(nn.Module):
    """Categories int64 [n, c] and numbers float32 [n, d] to logits float32 [n]."""

    def __init__(
        self, sizes: Sequence[int], numbers: int, width: int, layers: int, dropout: float, embedding: int
    ) -> None:
        super().__init__()
        self.chance = Chance()
        widths = [embedding_width(size, embedding) for size in sizes]
        self.embeddings = nn.ModuleList([nn.Embedding(size, wide) for size, wide in zip(sizes, widths, strict=True)])
        self.first = nn.Linear(sum(widths) + numbers, width)
        self.blocks = nn.ModuleList([_block(width, dropout, self.chance) for _ in range(layers)])
        self.last = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, 1))
        for each in self.embeddings:
            nn.init.normal_(each.weight, std=0.05)

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Return the logits."""
        embedded = [each(categories[:, place]) for place, each in enumerate(self.embeddings)]
        x = self.first(torch.cat([*embedded, numbers], dim=1))
        for block in self.blocks:
            x = x + block(x)
        return self.last(x).squeeze(1)


def embedding_width(size: int, at_most: int) -> int:
    """Return the width of an embedding of `size` codes: 1.6 size^0.56 (fastai's rule), cut."""
    return max(2, min(at_most, math.ceil(1.6 * size**0.56)))


def _block(width: int, dropout: float, chance: Chance) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), SharedDropout(dropout, chance), nn.Linear(width, width)
    )
