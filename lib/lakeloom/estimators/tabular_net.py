"""A torch network for tables: an embedding a category, scaled numbers, residual layers.

It has no `fit` of its own: the training loop fits its network on one or more workers. torch is
imported only when a network is made or used.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field

from lakeloom.estimators.base import EstimatorConfig, Fitted, Floats
from lakeloom.preparation.prepare import Arrays, Preparation, PreparationConfig

if TYPE_CHECKING:
    from lakeloom.estimators.network import Network

ROWS_AT_ONCE = 16_384


class TabularNetConfig(EstimatorConfig):
    """Settings of the network.

    Attributes
    ----------
    embed : tuple of str
        Columns taken as categories besides the text columns.
    min_count : int
        Rows that a category needs for an embedding of its own.
    width, layers : int
        Of the residual blocks.
    dropout : float
        Share of a block's inner units dropped in training.
    embedding : int
        Widest embedding.
    """

    kind: Literal["tabular_net"] = "tabular_net"
    embed: tuple[str, ...] = ()
    min_count: int = Field(default=10, ge=1)
    width: int = Field(default=128, ge=1)
    layers: int = Field(default=2, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    embedding: int = Field(default=16, ge=1)


class FittedTabularNet(Fitted):
    """A trained network."""

    def __init__(self, preparation: Preparation, config: TabularNetConfig, network: Network) -> None:
        super().__init__(preparation)
        self.config, self.network = config, network

    def predict(self, frame: Any) -> Floats:
        """Return the logistic function of the network's logits."""
        return predict_arrays(self.network, self.preparation.arrays(frame))

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the weights as ``weights.pt``."""
        import torch

        torch.save(self.network.state_dict(), folder / "weights.pt")
        return {"config": self.config.model_dump(mode="json"), "weights": weights_hash(self.network)}

    @classmethod
    def read(cls, folder: Path, preparation: Preparation, facts: dict[str, Any]) -> Self:
        """Read the weights."""
        import torch

        config = TabularNetConfig.model_validate(facts["config"])
        network = TabularNet.network(preparation, config)
        network.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
        return cls(preparation, config, network)


class TabularNet:
    """What the training loop needs to know of this kind."""

    Config = TabularNetConfig

    @staticmethod
    def preparation(config: TabularNetConfig) -> PreparationConfig:
        """Return how its columns become arrays."""
        return PreparationConfig(embed=config.embed, min_count=config.min_count)

    @staticmethod
    def network(preparation: Preparation, config: TabularNetConfig) -> Network:
        """Return a network with torch's current seed's weights."""
        from lakeloom.estimators.network import Network

        return Network(
            preparation.sizes, preparation.width, config.width, config.layers, config.dropout, config.embedding
        )

    @staticmethod
    def finish(preparation: Preparation, config: TabularNetConfig, network: Network) -> FittedTabularNet:
        """Return the trained network as a fitted model."""
        return FittedTabularNet(preparation, config, network)


def predict_arrays(network: Network, arrays: Arrays) -> Floats:
    """Return probabilities, float64 [n]; the network is left as it was."""
    import torch

    training = network.training
    network.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(arrays), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            logits = network(torch.from_numpy(arrays.categories[rows]), torch.from_numpy(arrays.numbers[rows]))
            parts.append(torch.sigmoid(logits.double()).numpy())
    network.train(training)
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.float64)


def weights_hash(network: Network) -> str:
    """Return 32 hexadecimal digits over the names, shapes and bytes of all weights."""
    taken = hashlib.blake2b(digest_size=16)
    for name, weight in sorted(network.state_dict().items()):
        taken.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        taken.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return taken.hexdigest()
