"""Structured codes: their names, their entropies, and what Q says of them (Chen et al. 2016, arXiv 1606.03657)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan_framework.api import Game, evaluation_mode
from gan_zoo.layers import choose

Code = Mapping[str, Tensor]
"""Codes by name: categorical ones one-hot (N, K), continuous ones (N, 1)."""


@dataclass(frozen=True)
class CodeList:
    """Categorical codes, uniform over their values, then continuous ones, uniform on [-1, 1].

    Attributes:
        categorical: the number of values of each categorical code; their names are `categorical_0`, ...
        continuous: the number of continuous codes; their names are `continuous_0`, ...
    """

    categorical: tuple[int, ...]
    continuous: int

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> CodeList:
        """Read `{categorical: [10], continuous: 2}`; either may be left out.

        Raises:
            ValueError: another kind of code, or a number that makes none.
        """
        unknown = settings.keys() - {"categorical", "continuous"}
        if unknown:
            raise ValueError(f"codes are categorical or continuous, not {', '.join(sorted(unknown))}")
        categorical: Sequence[int] = settings.get("categorical") or []
        continuous: int = settings.get("continuous") or 0
        if not isinstance(categorical, Sequence):
            raise ValueError(f"codes={dict(settings)}: categorical is a list of numbers of values, such as [10]")
        if any(values < 2 for values in categorical) or continuous < 0 or not (categorical or continuous):
            raise ValueError(
                f"codes={dict(settings)}: a categorical code has at least 2 values, and there is at least one code"
            )
        return cls(tuple(categorical), continuous)

    @property
    def sizes(self) -> dict[str, int]:
        """The entries that each code takes in z."""
        sizes = {f"categorical_{i}": values for i, values in enumerate(self.categorical)}
        return sizes | {f"continuous_{i}": 1 for i in range(self.continuous)}

    @property
    def dim(self) -> int:
        """The entries that all codes take in z."""
        return sum(self.categorical) + self.continuous

    def split(self, values: Tensor) -> dict[str, Tensor]:
        """Return the parts of (N, dim) by the codes' names."""
        return dict(zip(self.sizes, values.split(list(self.sizes.values()), dim=1), strict=True))

    def entropy(self, name: str) -> float:
        """Return H(c) of a code in nats: log K, or for a continuous one log 2 (differential)."""
        size = self.sizes[name]
        return math.log(2 if size == 1 else size)

    def bounds(self, q: Tensor, code: Code) -> dict[str, Tensor]:
        """Return for each code L_I = E log Q(c|x) + H(c) <= I(c; x), in nats (section 4, equation 5).

        Args:
            q: what Q says of samples (N, dim + continuous): logits of the categorical codes, means of
                the continuous ones, then the logarithms of the continuous ones' variances.
            code: the codes that the samples were made from.
        """
        q = q.float()
        said, log_variances = self.split(q[:, : self.dim]), iter(q[:, self.dim :].split(1, dim=1))
        log_q = {
            name: categorical_log_likelihood(code[name], said[name])
            if size > 1
            else gaussian_log_likelihood(code[name], said[name], next(log_variances))
            for name, size in self.sizes.items()
        }
        return {name: value.mean() + self.entropy(name) for name, value in log_q.items()}


def categorical_log_likelihood(one_hot: Tensor, logits: Tensor) -> Tensor:
    """Return log Q(c|x) (N,) of one-hot codes (N, K) under logits (N, K)."""
    return (one_hot * F.log_softmax(logits, dim=1)).sum(1)


def gaussian_log_likelihood(c: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return log Q(c|x) (N,) = sum of -½ log 2π - log σ - ½ ((c - μ)/σ)², with σ = exp(log_variance / 2)."""
    log_sigma = log_variance / 2
    return (-0.5 * math.log(2 * math.pi) - log_sigma - 0.5 * ((c - mean) / log_sigma.exp()).square()).sum(1)


class QOutput(nn.Module):
    """The last layer of Q: from features to the parameters of Q(c|x) that `CodeList.bounds` reads.

    Args:
        inputs: the number of features.
        codes: the codes to be told from samples.
        deviation: of continuous codes, `fixed` at 1 or `predicted` from the sample.
    """

    def __init__(self, inputs: int, codes: CodeList, deviation: str) -> None:
        super().__init__()
        predicted = codes.continuous
        # log σ² = 0 is σ = 1.
        self.log_variances = choose(
            {"fixed": lambda: nn.ZeroPad1d((0, predicted)), "predicted": nn.Identity}, "deviation", deviation
        )
        self.linear = nn.Linear(inputs, codes.dim + (predicted if deviation == "predicted" else 0))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, inputs) to (N, dim + continuous)."""
        parameters: Tensor = self.log_variances(self.linear(features))
        return parameters


def has_q(game: Game) -> bool:
    """Whether a game has a Q, as a network of its own or as a head of the discriminator."""
    return "q" in game.networks or "q" in game.discriminator.heads


@torch.no_grad()
def ask_q(game: Game, x: Tensor) -> Tensor:
    """Return what the game's Q, in evaluation mode, says of samples (N, ...)."""
    if "q" in game.networks:
        with evaluation_mode(game.networks["q"]):
            q: Tensor = game.networks["q"](x)
    else:
        with evaluation_mode(game.discriminator):
            q = game.discriminator(x).heads["q"]
    return q
