"""Muon, the optimizer of the built-in model's hidden matrices: momentum, made orthogonal by Newton-Schulz iterations.

After Jordan et al. (2024), scaled as in Liu et al. (2025, "Muon is scalable for LLM training") so that an update has
the size of an AdamW update. torch's own Muon uses bfloat16: without CPU instructions for it a step takes 3 s
on two cores, more than fifty steps of this one.
"""

from collections.abc import Iterable
from typing import Any

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic that lifts all singular values to about 1
ITERATIONS = 5


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """For two-dimensional parameters only. `momentum` is Nesterov's."""

    def __init__(
        self, parameters: Iterable[torch.Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.05
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group["lr"], group["momentum"], group["weight_decay"])

    def _update(self, parameter: torch.Tensor, lr: float, momentum: float, weight_decay: float) -> None:
        average = self.state[parameter].setdefault("average", torch.zeros_like(parameter))
        average.lerp_(parameter.grad, 1 - momentum)
        direction = orthogonal(parameter.grad.lerp(average, momentum))
        parameter.mul_(1 - lr * weight_decay)
        parameter.add_(direction, alpha=-0.2 * lr * max(parameter.shape) ** 0.5)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The matrix with its singular values brought to between about 0.7 and 1.2."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    result = matrix.T if tall else matrix
    result = result / (result.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = result @ result.T
        result = a * result + (b * square + c * square @ square) @ result
    return result.T if tall else result
