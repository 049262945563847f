"""SeqGAN (Yu et al. 2017, arXiv 1609.05473): D pays the generator for each token by how its completions fare."""

from __future__ import annotations

from torch import Tensor

from gan_framework.api import Components, Pair
from gan_zoo.token_policy import RolloutReward, TokenPolicyGame, judged, length_of


class DiscriminatorReward(RolloutReward):
    """A sequence is worth D, the probability that it is real (equation 4)."""

    def score(self, sequences: Tensor, pair: Pair, repeats: int) -> Tensor:
        """Return D of sequences (M, T, V)."""
        return judged(pair, sequences, repeats)


class SeqGAN(TokenPolicyGame):
    """G minimises -Σ_t log π(a_t | a_<t) R_t, R_t the mean of D over Monte Carlo completions (Algorithm 1).

    Args:
        components: what the game is made of.
        rollouts: completions for each beginning; 16 in the paper.
        follow: what the roll-out policy keeps of itself in each update; 0.8 in the authors' program.
        baseline: `none` in the program; the mean over the `batch`, or its `moving` average, lower the variance.
        summed: sum over the batch, as in the program, instead of its mean.
        output_l2: the weight of the size of D's last layer; 0.2 in the program.
    """

    def __init__(
        self, components: Components, rollouts: int, follow: float, baseline: str, summed: bool, output_l2: float
    ) -> None:
        reward = DiscriminatorReward(rollouts, follow, baseline, summed, length_of(components))
        super().__init__(components, reward, output_l2)
