"""ORGAN (Guimaraes et al. 2017, arXiv 1705.10843): D and an objective of one's own pay the generator together."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gan_framework.api import Components, ConfigError, DataShape, Pair
from gan_zoo.lengths import are_padded, ended, inside, lengths_of_tokens
from gan_zoo.token_policy import RolloutReward, TokenPolicyGame, judged, length_of


def own_steps(tokens: Tensor, padded: bool) -> Tensor:
    """Return the number of tokens (N,) of sequences (N, T), at least 1: of padded ones those before the first 0."""
    return lengths_of_tokens(tokens).clamp(min=1) if padded else torch.full_like(tokens[:, 0], tokens.shape[1])


def share_of(tokens: Tensor, symbol: int, padded: bool = False) -> Tensor:
    """Return the share (N,) of a symbol among the tokens of sequences (N, T), which end at the first 0 if padded."""
    return occurs(tokens, symbol, padded).sum(1) / own_steps(tokens, padded)


def longest_run(tokens: Tensor, symbol: int, padded: bool = False) -> Tensor:
    """Return the longest run (N,) of a symbol in sequences (N, T), as a share of them up to their ends."""
    run, longest = torch.zeros_like(tokens[:, 0]), torch.zeros_like(tokens[:, 0])
    for there in occurs(tokens, symbol, padded).unbind(1):
        run = torch.where(there, run + 1, 0)
        longest = torch.maximum(longest, run)
    return longest / own_steps(tokens, padded)


def occurs(tokens: Tensor, symbol: int, padded: bool) -> Tensor:
    """Return where in sequences (N, T) a symbol is, before their ends."""
    return ((ended(tokens) if padded else tokens) == symbol) & (inside(own_steps(tokens, padded), tokens.shape[1]))


OBJECTIVES: dict[str, Callable[[Tensor, int, bool], Tensor]] = {"share": share_of, "run": longest_run}
"""By name what maps sequences (N, T), a symbol and whether they are padded to values (N,) in [0, 1]."""


def require_symbol(name: str, symbol: int, shape: DataShape) -> None:
    """Raise ConfigError if data have no such symbol, or write it as padding."""
    first = 1 if are_padded(shape) else 0
    if not first <= symbol < shape.vocabulary:
        raise ConfigError(
            f"{name}={symbol}: the data have the symbols {first} to {shape.vocabulary - 1}"
            + (" (0 is padding)" if first else "")
        )


def repetitions(tokens: Tensor, repeats: int = 1) -> Tensor:
    """Return how often each sequence (N, T) occurs among them (N,).

    Where each beginning has so many completions in a row, the first ones are counted among each other, the second ones,
    and so on: that completions of one beginning are alike is no fault of it.
    """
    turn = torch.arange(len(tokens), device=tokens.device)[:, None] % repeats
    _, inverse, counts = torch.cat([tokens, turn], 1).unique(dim=0, return_inverse=True, return_counts=True)
    found: Tensor = counts[inverse]
    return found


class ObjectiveReward(RolloutReward):
    """A sequence is worth λ D + (1 - λ) O, divided by how often it occurs (section 3)."""

    share: float
    objective: str
    symbol: int

    def score(self, sequences: Tensor, pair: Pair, repeats: int) -> Tensor:
        """Return the reward of sequences (M, T, V)."""
        tokens = sequences.argmax(2)
        worth = OBJECTIVES[self.objective](tokens, self.symbol, are_padded(self.game.data)).to(sequences)
        if self.share:
            worth = self.share * judged(pair, sequences, repeats) + (1 - self.share) * worth
        return worth / repetitions(tokens, repeats)


class ORGAN(TokenPolicyGame):
    """SeqGAN whose reward is λ D + (1 - λ) O with a computable objective O in [0, 1] of whole sequences.

    The paper's objectives are of chemistry, which needs a toolkit; here O is the share of a symbol, or its longest run.

    Args:
        components: what the game is made of.
        share: λ.
        objective: `share` or `run`.
        symbol: the symbol that is counted.
        rollouts: completions for each beginning.
        follow: what the roll-out policy keeps of itself in each update.
        baseline: `none`, `batch` or `moving`.
        summed: sum over the batch instead of its mean.
        output_l2: the weight of the size of D's last layer.
    """

    def __init__(
        self,
        components: Components,
        share: float,
        objective: str,
        symbol: int,
        rollouts: int,
        follow: float,
        baseline: str,
        summed: bool,
        output_l2: float,
    ) -> None:
        if not 0 <= share <= 1 or objective not in OBJECTIVES:
            raise ValueError(f"share={share} objective={objective!r}: from 0 to 1, and one of {', '.join(OBJECTIVES)}")
        reward = ObjectiveReward(rollouts, follow, baseline, summed, length_of(components))
        require_symbol("game.symbol", symbol, components.data)
        reward.share, reward.objective, reward.symbol = share, objective, symbol
        super().__init__(components, reward, output_l2)
