"""AdamW on one flat vector (Loshchilov and Hutter 2019), so that a step is a dozen vector operations.

All parameters and gradients of the network are views of two vectors: the gradients can be summed
over the workers in one call, and a checkpoint is three vectors. (torch's own optimizers import its
compiler on first use, seconds a worker, measured.) Decay spares biases, norms and embeddings.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class FlatAdamW:
    """The optimizer, and the owner of the network's parameters and gradients.

    Parameters
    ----------
    network : nn.Module
        Its parameters become views of `parameters`, its gradients of `gradient`.
    decay : float
        Weight decay a step, times the rate.

    Attributes
    ----------
    gradient : Tensor, float32 [n + 1]
        The last place is free: the loss rides there when gradients are summed.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        parts = list(network.parameters())
        count = sum(each.numel() for each in parts)
        self.parameters, self.gradient = torch.empty(count), torch.zeros(count + 1)
        self.first, self.second = torch.zeros(count), torch.zeros(count)
        self.decay, self.taken = torch.zeros(count), 0
        embeddings = {id(each.weight) for each in network.modules() if isinstance(each, nn.Embedding)}
        start = 0
        for each in parts:
            place = slice(start, start + each.numel())
            self.parameters[place] = each.detach().reshape(-1)
            each.data = self.parameters[place].view_as(each)
            each.grad = self.gradient[place].view_as(each)
            if each.dim() > 1 and id(each) not in embeddings:
                self.decay[place] = decay
            start += each.numel()

    def clip(self, norm: float) -> None:
        """Scale the gradient down to `norm` where it is longer; 0 leaves it."""
        gradient = self.gradient[:-1]
        length = float(torch.linalg.vector_norm(gradient))
        if norm and length > norm:
            gradient.mul_(norm / length)

    def step(self, rate: float) -> None:
        """Move the parameters one step against the gradient."""
        gradient = self.gradient[:-1]
        self.taken += 1
        self.first.lerp_(gradient, 1 - BETA_1)
        self.second.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        self.parameters.addcmul_(self.parameters, self.decay, value=-rate)
        root = (self.second / (1 - BETA_2**self.taken)).sqrt_().add_(EPSILON)
        self.parameters.addcdiv_(self.first, root, value=-rate / (1 - BETA_1**self.taken))

    def state(self) -> dict[str, Tensor | int]:
        """Return what a checkpoint needs."""
        return {"parameters": self.parameters, "first": self.first, "second": self.second, "taken": self.taken}

    def load(self, state: dict[str, Tensor | int]) -> None:
        """Take up what `state` returned."""
        for name in ("parameters", "first", "second"):
            getattr(self, name).copy_(state[name])
        self.taken = int(state["taken"])
